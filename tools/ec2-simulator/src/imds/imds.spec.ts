import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { InstanceView } from '../fleet-control.ts';
import { createEc2Simulator } from '../simulator.ts';
import type { RunningSimulator } from '../simulator.ts';

const REGION = 'eu-central-1';
const DOCUMENT = '/latest/dynamic/instance-identity/document';

let simulator: RunningSimulator;
let instance: InstanceView;
let now: number;

beforeEach(async () => {
  now = Date.now();
  simulator = await createEc2Simulator({ instances: 3, regions: [REGION], now: () => now }).listen();
  const [first] = simulator.fleet.list({ region: REGION });
  if (first === undefined) throw new Error('there is no instance');
  instance = first;
});

afterEach(async () => {
  await simulator.close();
});

async function tokenOf(url: string, ttl = '60'): Promise<{ status: number; text: string }> {
  const headers = { 'x-aws-ec2-metadata-token-ttl-seconds': ttl };
  const response = await fetch(`${url}/latest/api/token`, { method: 'PUT', headers });
  return { status: response.status, text: await response.text() };
}

async function get(url: string, path: string, token: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`${url}${path}`, { headers: { 'x-aws-ec2-metadata-token': token } });
  return { status: response.status, text: await response.text() };
}

describe('instance metadata', () => {
  it('tells an instance what it is, by IMDSv2 only', async () => {
    await using endpoint = await simulator.imds.listen(instance);
    const { text: token } = await tokenOf(endpoint.url);
    expect(await get(endpoint.url, '/latest/meta-data/instance-id', token)).toEqual({
      status: 200,
      text: instance.id,
    });
    expect(await get(endpoint.url, '/latest/meta-data/placement/region', token)).toMatchObject({
      text: REGION,
    });
    const { text } = await get(endpoint.url, DOCUMENT, token);
    expect(JSON.parse(text)).toMatchObject({
      accountId: instance.account,
      instanceId: instance.id,
      region: REGION,
    });
    expect(await get(endpoint.url, '/latest/meta-data/nothing', token)).toMatchObject({ status: 404 });
    expect(await get(endpoint.url, DOCUMENT, 'made up')).toMatchObject({ status: 401 });
    expect((await fetch(`${endpoint.url}${DOCUMENT}`)).status).toBe(401);
  });

  it('lets tokens run out, and gives none for a lifetime that is none', async () => {
    await using endpoint = await simulator.imds.listen(instance);
    const { text: token } = await tokenOf(endpoint.url, '60');
    now += 59_999;
    expect((await get(endpoint.url, DOCUMENT, token)).status).toBe(200);
    now += 1;
    expect((await get(endpoint.url, DOCUMENT, token)).status).toBe(401);
    for (const ttl of ['0', '21601', '', 'x']) expect((await tokenOf(endpoint.url, ttl)).status).toBe(400);
  });

  it('has the tags where that is allowed', async () => {
    await using endpoint = await simulator.imds.listen(instance);
    simulator.fleet.replaceTags(
      instance,
      new Map([
        ['Name', 'web-1'],
        ['env', 'prod'],
      ]),
    );
    const { text: token } = await tokenOf(endpoint.url);
    const tags = '/latest/meta-data/tags/instance/';
    expect((await get(endpoint.url, tags, token)).status).toBe(404);
    simulator.imds.set(instance, { tags: true });
    expect(await get(endpoint.url, tags, token)).toEqual({ status: 200, text: 'Name\nenv' });
    expect(await get(endpoint.url, `${tags}Name`, token)).toEqual({ status: 200, text: 'web-1' });
    expect((await get(endpoint.url, `${tags}other`, token)).status).toBe(404);
  });

  it('is refused where it is off, and silent beyond its hop limit', async () => {
    await using near = await simulator.imds.listen(instance);
    await using far = await simulator.imds.listen(instance, 2);
    const timeout = AbortSignal.timeout(200);
    const headers = { 'x-aws-ec2-metadata-token-ttl-seconds': '60' };
    const asked = fetch(`${far.url}/latest/api/token`, { method: 'PUT', headers, signal: timeout });
    await expect(asked).rejects.toThrow('aborted');
    simulator.imds.set(instance, { hopLimit: 2 });
    expect((await tokenOf(far.url)).status).toBe(200);
    simulator.imds.set(instance, { mode: 'off' });
    expect((await tokenOf(near.url)).status).toBe(403);
  });

  it('signs identity documents with the key that it was given', async () => {
    await using endpoint = await simulator.imds.listen(instance);
    const { text: token } = await tokenOf(endpoint.url);
    const signature = '/latest/dynamic/instance-identity/signature';
    expect((await get(endpoint.url, signature, token)).status).toBe(404);
    simulator.imds.signWith({
      rsa: (document) => `rsa of ${document.toString('utf8')}`,
      pkcs7: () => 'pkcs7',
    });
    const document = await get(endpoint.url, DOCUMENT, token);
    expect((await get(endpoint.url, signature, token)).text).toBe(`rsa of ${document.text}`);
    expect((await get(endpoint.url, '/latest/dynamic/instance-identity/rsa2048', token)).text).toBe('pkcs7');
  });

  it('gives the credentials of the instance’s own role, which STS knows', async () => {
    await using endpoint = await simulator.imds.listen(instance);
    const { text: token } = await tokenOf(endpoint.url);
    const path = '/latest/meta-data/identity-credentials/ec2/security-credentials/ec2-instance';
    const { AccessKeyId } = JSON.parse((await get(endpoint.url, path, token)).text) as {
      AccessKeyId: string;
    };
    expect(simulator.sts.get(AccessKeyId)?.arn).toContain(`assumed-role/aws:ec2-instance/${instance.id}`);
  });

  it('opens by the control API', async () => {
    const control = async (method: string, body: object) => {
      const url = `${simulator.url}/_control/imds/${REGION}/${instance.id}`;
      return await fetch(url, { method, body: JSON.stringify(body) });
    };
    const { url } = (await (await control('POST', {})).json()) as { url: string };
    expect((await tokenOf(url)).status).toBe(200);
    expect((await control('PATCH', { mode: 'off' })).status).toBe(200);
    expect((await tokenOf(url)).status).toBe(403);
    expect((await control('PATCH', { mode: 'broken' })).status).toBe(400);
  });
});

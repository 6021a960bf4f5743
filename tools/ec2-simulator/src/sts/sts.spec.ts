import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createEc2Simulator } from '../simulator.ts';
import type { RunningSimulator } from '../simulator.ts';
import type { AwsKeys } from './sts-control.ts';
import { SIMULATED_NOW, post, signedHeaders } from '../testing/sts.ts';

const ACCOUNT = '123456789012';
const ARN = `arn:aws:sts::${ACCOUNT}:assumed-role/web/session`;

describe('GetCallerIdentity', () => {
  let simulator: RunningSimulator;
  let now = SIMULATED_NOW;
  beforeEach(async () => {
    now = SIMULATED_NOW;
    simulator = await createEc2Simulator({
      instances: 2,
      regions: ['eu-central-1'],
      now: () => now,
    }).listen();
  });
  afterEach(() => simulator.close());

  function register(ttlMs?: number): AwsKeys {
    return simulator.sts.register({ account: ACCOUNT, arn: ARN, userId: 'AROAX:session', ttlMs });
  }

  it.each([
    ['sts.eu-central-1.amazonaws.com', {}],
    ['sts.amazonaws.com', { 'x-tagplane-nonce': 'a b', 'x-tagplane-key': 'ff' }],
    ['sts.us-east-1.amazonaws.com', { 'content-type': 'application/x-www-form-urlencoded' }],
  ])('tells whoever signed for %s with %j who they are', async (host, headers) => {
    const answer = await post(simulator.url, await signedHeaders(register(), { host, headers }));
    expect(answer).toMatchObject({ status: 200, type: 'text/xml' });
    expect(answer.text).toContain(`<Arn>${ARN}</Arn>`);
    expect(answer.text).toContain(`<Account>${ACCOUNT}</Account>`);
    expect(answer.text).toContain('<UserId>AROAX:session</UserId>');
  });

  it('answers in JSON when asked to', async () => {
    const headers = await signedHeaders(register());
    const { text } = await post(simulator.url, { ...headers, accept: 'application/json' });
    expect(JSON.parse(text)).toMatchObject({
      GetCallerIdentityResponse: { GetCallerIdentityResult: { Account: ACCOUNT, Arn: ARN } },
    });
  });

  it('knows credentials without a session token', async () => {
    const keys = simulator.sts.register({
      ...{ account: ACCOUNT, arn: ARN, userId: 'AIDAX' },
      ...{ accessKeyId: 'AKIAX', secretAccessKey: 'secret', sessionToken: '' },
    });
    expect(keys).toMatchObject({ accessKeyId: 'AKIAX', secretAccessKey: 'secret', sessionToken: undefined });
    expect((await post(simulator.url, await signedHeaders(keys))).status).toBe(200);
  });

  const unsigned = (headers: Record<string, string>, change: Record<string, string>) => ({
    ...headers,
    ...change,
  });
  it.each([
    [
      'another secret',
      'SignatureDoesNotMatch',
      (keys: AwsKeys) => signedHeaders({ ...keys, secretAccessKey: 'x' }),
    ],
    [
      'an unknown key',
      'InvalidClientTokenId',
      (keys: AwsKeys) => signedHeaders({ ...keys, accessKeyId: 'AKIAX' }),
    ],
    [
      'another token',
      'InvalidClientTokenId',
      (keys: AwsKeys) => signedHeaders({ ...keys, sessionToken: 'x' }),
    ],
    [
      'no token',
      'InvalidClientTokenId',
      (keys: AwsKeys) => signedHeaders({ ...keys, sessionToken: undefined }),
    ],
    [
      'a header changed after it was signed',
      'SignatureDoesNotMatch',
      async (keys: AwsKeys) =>
        unsigned(await signedHeaders(keys, { headers: { 'x-tagplane-nonce': '1' } }), {
          'x-tagplane-nonce': '2',
        }),
    ],
    [
      'another host',
      'SignatureDoesNotMatch',
      async (keys: AwsKeys) => unsigned(await signedHeaders(keys), { host: 'sts.us-west-2.amazonaws.com' }),
    ],
    [
      'a signature of yesterday',
      'SignatureDoesNotMatch',
      (keys: AwsKeys) => signedHeaders(keys, { at: SIMULATED_NOW - 24 * 3_600_000 }),
    ],
  ])('refuses %s', async (_what, code, sign) => {
    const { status, text } = await post(simulator.url, await sign(register()));
    expect(status).toBe(403);
    expect(text).toContain(`<Code>${code}</Code>`);
    expect(text).toContain('<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">');
  });

  it('refuses credentials that have expired, and other actions', async () => {
    const keys = register(60_000);
    const headers = await signedHeaders(keys);
    now += 60_000;
    expect((await post(simulator.url, headers)).text).toContain('<Code>ExpiredToken</Code>');
    const { status, text } = await post(simulator.url, headers, 'Action=GetSessionToken&Version=2011-06-15');
    expect([status, text]).toEqual([400, expect.stringContaining('InvalidAction')]);
    expect(simulator.fleet.report().requests).toMatchObject({ GetCallerIdentity: 1, GetSessionToken: 1 });
  });

  it('refuses a body that was not signed', async () => {
    const headers = await signedHeaders(register());
    const { status, text } = await post(
      simulator.url,
      headers,
      'Action=GetCallerIdentity&Version=2011-06-15&DurationSeconds=1',
    );
    expect([status, text]).toEqual([403, expect.stringContaining('SignatureDoesNotMatch')]);
  });

  it('falls under faults as EC2 does, garbage among them', async () => {
    const headers = await signedHeaders(register());
    const action = 'GetCallerIdentity';
    simulator.fleet.addFault({ action, error: { code: 'InternalFailure', message: 'm', status: 500 } });
    simulator.fleet.addFault({ action, error: { code: 'AccessDenied', message: 'm', status: 403 } });
    simulator.fleet.addFault({ action, body: '<html>' });
    const statuses: [number | undefined, string][] = [];
    for (let n = 0; n < 4; n += 1) {
      const { status, text } = await post(simulator.url, headers);
      statuses.push([status, text.slice(0, 6)]);
    }
    expect(statuses).toEqual([
      [500, '<Error'],
      [403, '<Error'],
      [200, '<html>'],
      [200, '<GetCa'],
    ]);
  });

  it('takes credentials over HTTP, and those of an instance’s own role', async () => {
    const control = async (path: string, body: object) => {
      const response = await fetch(new URL(`/_control/${path}`, simulator.url), {
        method: 'POST',
        body: JSON.stringify(body),
      });
      return { status: response.status, json: (await response.json()) as Record<string, string> };
    };
    const keysOf = ({ json }: { json: Record<string, string> }): AwsKeys => ({
      accessKeyId: json['AccessKeyId'] ?? '',
      secretAccessKey: json['SecretAccessKey'] ?? '',
      sessionToken: json['Token'],
    });
    const made = await control('sts/credentials', { account: ACCOUNT, arn: ARN });
    expect((await post(simulator.url, await signedHeaders(keysOf(made)))).text).toContain(ARN);
    const [instance] = simulator.fleet.list({ region: 'eu-central-1' });
    const id = instance?.id ?? '';
    const own = await control(`instances/eu-central-1/${id}/credentials`, {});
    const { text } = await post(simulator.url, await signedHeaders(keysOf(own)));
    expect(text).toContain(`arn:aws:sts::${ACCOUNT}:assumed-role/aws:ec2-instance/${id}`);
    expect((await control('sts/credentials', { account: ACCOUNT })).status).toBe(400);
    expect((await control('sts/credentials', { account: 1, arn: ARN })).status).toBe(400);
    expect((await control('sts/credentials', { arn: ARN, ttl_ms: 'x' })).status).toBe(400);
    expect((await control('instances/eu-central-1/i-none/credentials', {})).status).toBe(404);
  });

  it('gives instances a role of their partition', () => {
    const { arn } = simulator.sts.registerInstance({ account: '1', region: 'us-gov-west-1', id: 'i-1' });
    expect(arn).toBe('arn:aws-us-gov:sts::1:assumed-role/aws:ec2-instance/i-1');
  });
});

import type { EC2Client } from '@aws-sdk/client-ec2';
import { afterEach, beforeEach, describe as suite, expect, it } from '@jest/globals';
import { createEc2Simulator } from './simulator.ts';
import type { RunningSimulator } from './simulator.ts';
import { clientOf, describe, idsOf, refusal, tagsOf } from './testing/client.ts';

const REGION = 'eu-central-1';

suite('the control API', () => {
  let simulator: RunningSimulator;
  let client: EC2Client;
  beforeEach(async () => {
    simulator = await createEc2Simulator({ instances: 12, regions: [REGION] }).listen();
    client = clientOf(simulator.url);
  });
  afterEach(async () => {
    client.destroy();
    await simulator.close();
  });

  async function call(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; json: unknown }> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const init = body === undefined ? { method } : { method, body: text };
    const response = await fetch(new URL(`/_control/${path}`, simulator.url), init);
    return { status: response.status, json: await response.json() };
  }
  async function list(query = ''): Promise<{ id: string }[]> {
    const { json } = await call('GET', `instances?region=${REGION}${query}`);
    return (json as { instances: { id: string }[] }).instances;
  }

  it('lists instances a part at a time', async () => {
    const all = (await list()).map(({ id }) => id);
    expect(all).toEqual(idsOf((await describe(client)).instances));
    const first = await list('&limit=5');
    const second = await list(`&limit=100&after=${first.at(-1)?.id ?? ''}`);
    expect([...first, ...second].map(({ id }) => id)).toEqual(all);
    expect(first[0]).toMatchObject({ account: '123456789012', region: REGION, state: 'running' });
  });

  it('replaces and changes tags, AWS’s own too', async () => {
    const id = (await list())[0]?.id ?? '';
    const path = `instances/${REGION}/${id}/tags`;
    const seen = async (): Promise<Map<string, string>> =>
      tagsOf((await describe(client, { InstanceIds: [id] })).instances[0]);
    const replaced = await call('PUT', path, '{"tags":{"__proto__":"p","aws:x":"y","a b/c":""}}');
    expect(replaced.status).toBe(200);
    expect(JSON.stringify(replaced.json)).toContain('"tags":{"__proto__":"p","aws:x":"y","a b/c":""}');
    expect(await seen()).toEqual(
      new Map([
        ['__proto__', 'p'],
        ['aws:x', 'y'],
        ['a b/c', ''],
      ]),
    );
    await call('POST', path, { set: { new: '1' }, unset: ['aws:x', 'not there'] });
    expect(await seen()).toEqual(
      new Map([
        ['__proto__', 'p'],
        ['a b/c', ''],
        ['new', '1'],
      ]),
    );
    const fiftyOne = Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, '']));
    expect(await call('PUT', path, { tags: fiftyOne })).toMatchObject({
      status: 400,
      json: { error: { code: 'TagLimitExceeded' } },
    });
    expect((await seen()).size).toBe(3);
  });

  it('starts, sets and terminates', async () => {
    const started = await call('POST', 'run', { region: REGION, count: 2, tags: { role: 'x' } });
    const { instances } = started.json as { instances: { id: string }[] };
    expect(instances).toHaveLength(2);
    const path = `instances/${REGION}/${instances[0]?.id ?? ''}`;
    expect((await call('PATCH', path, { state: 'stopped' })).json).toMatchObject({ state: 'stopped' });
    expect((await call('GET', path)).json).toMatchObject({ state: 'stopped', tags: { role: 'x' } });
    expect((await call('POST', `${path}/terminate`)).json).toMatchObject({ state: 'shutting-down' });
    expect((await call('PATCH', path, { state: 'terminated' })).json).toMatchObject({ state: 'terminated' });
  });

  it('makes an instance vanish that was never described as terminated', async () => {
    const [view] = simulator.fleet.list({ region: 'eu-central-1' });
    if (view === undefined) throw new Error('no instance');
    simulator.fleet.vanish(view);
    const { instances } = await describe(client);
    expect(instances.map(({ InstanceId }) => InstanceId)).not.toContain(view.id);
    expect(instances).toHaveLength(11);
  });

  it('fails as many requests as asked for, after as many as asked for', async () => {
    const fault = { action: 'DescribeInstances', code: 'RequestLimitExceeded', skip: 1, count: 2 };
    expect((await call('POST', 'faults', fault)).json).toEqual({ pending: 2 });
    expect((await describe(client)).instances).toHaveLength(12);
    const throttled = { name: 'RequestLimitExceeded', status: 503 };
    expect(await refusal(describe(client))).toEqual(throttled);
    expect(await refusal(describe(client))).toEqual(throttled);
    expect((await describe(client)).instances).toHaveLength(12);
    expect((await call('GET', 'stats')).json).toMatchObject({
      requests: { DescribeInstances: 4 },
      errors: { RequestLimitExceeded: 2 },
      instances: 12,
      faultsPending: 0,
    });
  });

  it('delays an answer, and takes faults back', async () => {
    await call('POST', 'faults', { region: REGION, delay_ms: 30 });
    const before = performance.now();
    await describe(client);
    expect(performance.now() - before).toBeGreaterThan(25);
    await call('POST', 'faults', { code: 'InternalError', status: 500, count: 5 });
    await call('DELETE', 'faults');
    expect((await describe(client)).instances).toHaveLength(12);
  });

  it('resets to the seeded fleet', async () => {
    const before = await list();
    await call('POST', 'run', { region: REGION, count: 3 });
    await call('PUT', `instances/${REGION}/${before[0]?.id ?? ''}/tags`, { tags: {} });
    await call('POST', 'faults', { code: 'X' });
    expect((await call('POST', 'reset')).json).toEqual({ instances: 12 });
    expect(await list()).toEqual(before);
    expect((await call('GET', 'stats')).json).toMatchObject({ requests: {}, faultsPending: 0 });
  });

  it.each<[string, string, string, unknown, number]>([
    ['an unknown path', 'GET', 'nothing', undefined, 404],
    ['another method', 'DELETE', 'stats', undefined, 404],
    ['an unknown region', 'GET', 'instances?region=mars-1', undefined, 404],
    ['an unknown instance', 'GET', `instances/${REGION}/i-00000000000000000`, undefined, 404],
    ['a bad limit', 'GET', 'instances?limit=0', undefined, 400],
    ['a broken escape', 'GET', 'instances/%zz/x', undefined, 400],
    ['no JSON', 'POST', 'faults', '{', 400],
    ['no object', 'POST', 'faults', [], 400],
    ['a bad count', 'POST', 'faults', { code: 'X', count: 0 }, 400],
    ['a status that is no error', 'POST', 'faults', { code: 'X', status: 200 }, 400],
    ['no region to run in', 'POST', 'run', { count: 1 }, 400],
    ['tags that are no texts', 'POST', 'run', { region: REGION, tags: { a: 1 } }, 400],
  ])('refuses %s', async (_, method, path, body, status) => {
    const answer = await call(method, path, body);
    expect(answer.status).toBe(status);
    expect(answer.json).toEqual({ error: { code: expect.any(String), message: expect.any(String) } });
  });
});

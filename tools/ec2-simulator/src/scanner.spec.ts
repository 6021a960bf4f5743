import { afterEach, beforeEach, describe as suite, expect, it } from '@jest/globals';
import { ScanError, createEc2Scanner } from '@tagplane/ec2';
import type { DiscoveredInstance, Ec2Scanner, ScanFilters } from '@tagplane/ec2';
import { fakeRegion } from '@tagplane/ec2/testing';
import { createEc2Simulator } from './simulator.ts';
import type { RunningSimulator } from './simulator.ts';

const REGION = fakeRegion('eu-central-1');
const FEW = 12;
/** Two pages. The SDK takes half a second over a full one, and longer on a busy machine. */
const MANY = 1_003;
const MANY_TIMEOUT_MS = 60_000;

suite('the scanner of @tagplane/ec2 on the simulator', () => {
  let simulator: RunningSimulator;
  let scanner: Ec2Scanner;
  async function start(instances: number): Promise<void> {
    simulator = await createEc2Simulator({ instances, regions: [REGION] }).listen();
    const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
    scanner = createEc2Scanner({ region: REGION, endpoint: simulator.url, credentials, maxAttempts: 2 });
  }
  beforeEach(() => start(FEW));
  async function stop(): Promise<void> {
    scanner[Symbol.dispose]();
    await simulator.close();
  }
  afterEach(stop);
  async function restart(instances: number): Promise<void> {
    await stop();
    await start(instances);
  }

  async function scan(options: { signal?: AbortSignal; filters?: ScanFilters } = {}) {
    const instances: DiscoveredInstance[] = [];
    const pages: number[] = [];
    let requests = 0;
    for await (const page of scanner.scan({ signal: new AbortController().signal, ...options })) {
      expect(page.rejected).toEqual([]);
      instances.push(...page.instances);
      pages.push(page.instances.length);
      requests += page.requests;
    }
    return { instances, pages, requests };
  }
  async function failure(options?: Parameters<typeof scan>[0]): Promise<ScanError> {
    const error: unknown = await scan(options).catch((e: unknown) => e);
    if (error instanceof ScanError) return error;
    throw new Error('no ScanError', { cause: error });
  }

  it(
    'finds every instance once, with its account, state and tags',
    async () => {
      await restart(MANY);
      const views = simulator.fleet.list({ region: REGION, limit: MANY });
      simulator.fleet.setState({ region: REGION, id: views[7]?.id ?? '' }, 'terminated');
      const { instances, pages, requests } = await scan();
      expect(pages).toEqual([1000, 3]);
      expect(requests).toBe(2);
      expect(instances).toMatchObject(
        views.map(({ account, region, id, state, tags }, index) => ({
          key: { account, region, instance: id },
          state: index === 7 ? 'terminated' : state,
          tags,
        })),
      );
    },
    MANY_TIMEOUT_MS,
  );

  it('asks for the tags that its filters name', async () => {
    const [a, b] = simulator.fleet.list({ region: REGION, limit: 2 });
    for (const view of [a, b]) {
      simulator.fleet.changeTags(
        { region: REGION, id: view?.id ?? '' },
        { set: new Map([['Patch Group', 'x:1']]) },
      );
    }
    simulator.fleet.changeTags({ region: REGION, id: b?.id ?? '' }, { set: new Map([['wanted', '']]) });
    const found = async (tags: Record<string, string[]>) =>
      (await scan({ filters: { tags } })).instances.map(({ key }) => key.instance);
    expect(await found({ 'Patch Group': ['x:1', 'y'] })).toEqual([a?.id, b?.id]);
    expect(await found({ 'Patch Group': ['x:?'], wanted: [] })).toEqual([b?.id]);
  });

  it('tries again when throttled, and says how many requests that took', async () => {
    simulator.fleet.addFault({ error: { code: 'RequestLimitExceeded', message: 'slow', status: 503 } });
    const { instances, requests } = await scan();
    expect(instances).toHaveLength(FEW);
    expect(requests).toBe(2);
  });

  it.each([
    ['RequestLimitExceeded', 503, 'throttled', 2],
    ['UnauthorizedOperation', 403, 'denied', 1],
    ['InternalError', 500, 'unreachable', 2],
    ['InvalidParameterValue', 400, 'other', 1],
  ])('fails with %s (%i) as %s', async (code, status, kind, requests) => {
    simulator.fleet.addFault({ count: 2, error: { code, message: 'no', status } });
    expect(await failure()).toMatchObject({ kind, code, requests, region: REGION });
  });

  it('stops at once when aborted in the middle of a request', async () => {
    simulator.fleet.addFault({ delayMs: 60_000 });
    const stop = new AbortController();
    const failed = failure({ signal: stop.signal });
    while (simulator.fleet.report().faultsPending > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort();
    expect(await failed).toMatchObject({ kind: 'aborted' });
  });
});

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseScript } from './fault-bodies.ts';
import type { Fault } from './faults.ts';
import { createEc2Simulator } from './simulator.ts';
import type { Ec2SimulatorOptions, RunningSimulator } from './simulator.ts';
import { clientOf, describe as describeInstances, idsOf, refusal, tagsOf } from './testing/client.ts';

const REGION = 'eu-central-1';
const NOW = Date.parse('2026-11-22T12:00:00Z');
const OTHER = '222222222222';

describe('faults', () => {
  let simulator: RunningSimulator;
  let now = NOW;
  const client = () => clientOf(simulator.url);

  beforeEach(async () => {
    now = NOW;
    simulator = await start();
  });

  afterEach(() => simulator.close());

  function start(options: Ec2SimulatorOptions = {}): Promise<RunningSimulator> {
    const accounts = new Map([['other', OTHER]]);
    return createEc2Simulator({
      ...{ instances: 40, regions: [REGION], accounts, now: () => now },
      ...options,
    }).listen();
  }

  async function pages(): Promise<(number | string)[]> {
    const seen: (number | string)[] = [];
    let NextToken: string | undefined;
    do {
      try {
        const page = await describeInstances(client(), { MaxResults: 10, NextToken });
        seen.push(page.instances.length);
        NextToken = page.nextToken;
      } catch (error) {
        return [...seen, error instanceof Error ? error.name : 'no error'];
      }
    } while (NextToken !== undefined);
    return seen;
  }

  it('fall on one page of every scan', async () => {
    const error = { code: 'InternalError', message: 'm', status: 500 };
    simulator.fleet.addFault({ action: 'DescribeInstances', page: 3, count: 2, error });
    expect(await pages()).toEqual([10, 10, 'InternalError']);
    expect(await pages()).toEqual([10, 10, 'InternalError']);
    expect(await pages()).toEqual([10, 10, 10, 10]);
  });

  it('make a NextToken invalid in the middle', async () => {
    const error = { code: 'InvalidNextToken', message: 'm', status: 400 };
    simulator.fleet.addFault({ page: 2, error });
    expect(await pages()).toEqual([10, 'InvalidNextToken']);
  });

  it('fall on one account', async () => {
    const error = { code: 'RequestLimitExceeded', message: 'm', status: 503 };
    simulator.fleet.addFault({ account: OTHER, error });
    expect(await pages()).toEqual([10, 10, 10, 10]);
    const refused = await refusal(describeInstances(clientOf(simulator.url, REGION, 'other')));
    expect(refused).toEqual({ name: 'RequestLimitExceeded', status: 503 });
  });

  it('last from a time on, for a time', async () => {
    const error = { code: 'Unavailable', message: 'm', status: 503 };
    simulator.fleet.addFault({ afterMs: 1000, forMs: 1000, count: 99, error });
    const outcomes: unknown[] = [];
    for (const at of [0, 999, 1000, 1999, 2000]) {
      now = NOW + at;
      outcomes.push((await pages())[0]);
    }
    expect(outcomes).toEqual([10, 10, 'Unavailable', 'Unavailable', 10]);
  });

  it.each<[string, Partial<Fault>]>([
    ['cut in the middle of the body', { cutAfter: 5000 }],
    ['drop the connection', { drop: true }],
    ['truncate the XML', { truncateAfter: 5000 }],
    ['answer with garbage', { body: '<html>' }],
  ])('%s', async (_what, fault) => {
    simulator.fleet.addFault(fault);
    const answer = fetchInstances(simulator.url);
    if (fault.cutAfter !== undefined || fault.drop === true) await expect(answer).rejects.toThrow();
    else expect((await answer).length).toBe(fault.truncateAfter ?? 6);
    expect((await describeInstances(client())).instances).toHaveLength(40);
  });

  it('show what was before the latest change, or nothing', async () => {
    const id = simulator.fleet.list({ region: REGION })[0]?.id ?? '';
    simulator.fleet.changeTags({ region: REGION, id }, { set: new Map([['env', 'new']]) });
    simulator.fleet.addFault({ view: 'stale' });
    simulator.fleet.addFault({ view: 'empty' });
    const env = async (): Promise<string | undefined> =>
      tagsOf((await describeInstances(client())).instances.find(({ InstanceId }) => InstanceId === id)).get(
        'env',
      );
    expect([await env(), await env(), await env()]).toEqual([
      expect.not.stringMatching('new'),
      undefined,
      'new',
    ]);
  });

  it('and the seed make the same answers in every run', async () => {
    const script = parseScript(
      JSON.stringify({
        faults: [
          { action: 'DescribeInstances', probability: 0.3, count: 1000, code: 'RequestLimitExceeded' },
          { action: 'DescribeInstances', probability: 0.2, count: 1000, view: 'stale' },
          { action: 'DescribeInstances', probability: 0.2, count: 1000, truncate_after: 3000 },
        ],
      }),
    );
    const consistency = { lagMs: 1000, staleReads: 0.5 };
    const runOnce = async (seed: number): Promise<string[]> => {
      now = NOW;
      await using scripted = await start({ seed, script, consistency });
      const answers: string[] = [];
      for (let turn = 0; turn < 20; turn += 1) {
        const [view] = scripted.fleet.list({ region: REGION, limit: 1 });
        scripted.fleet.changeTags(
          { region: REGION, id: view?.id ?? '' },
          { set: new Map([['n', String(turn)]]) },
        );
        now += 400;
        answers.push(await fetchInstances(scripted.url));
      }
      return answers;
    };
    const first = await runOnce(7);
    expect(await runOnce(7)).toEqual(first);
    expect(await runOnce(8)).not.toEqual(first);
    expect(new Set(first.map((text) => text.length)).size).toBeGreaterThan(2);
  });

  it.each([
    ['{"faults": 1}', 'faults'],
    ['{"faults": [{"page": 0}]}', 'page'],
    ['{"faults": [{"nonsense": 0}]}', 'nonsense'],
    ['{"faults": [{"probability": 2}]}', 'probability'],
    ['{"faults": [{"view": "x"}]}', 'view'],
    ['{"faults": [{"drop": 1}]}', 'drop'],
    ['{"faults": [7]}', 'faults: 0'],
  ])('of the script %s are refused by the name of the member', (text, member) => {
    expect(() => parseScript(text)).toThrow(member);
  });
});

describe('eventual consistency', () => {
  it('shows a change after the instance’s own lag, and a new instance no sooner', async () => {
    let now = NOW;
    await using simulator = await createEc2Simulator({
      ...{ instances: 5, regions: [REGION], now: () => now },
      consistency: { lagMs: 1000, staleReads: 0 },
    }).listen();
    const client = clientOf(simulator.url);
    const id = simulator.fleet.list({ region: REGION })[0]?.id ?? '';
    simulator.fleet.changeTags({ region: REGION, id }, { set: new Map([['env', 'new']]) });
    const [started] = simulator.fleet.run({ region: REGION, count: 1 });
    const seen = async (): Promise<[string | undefined, boolean]> => {
      const { instances } = await describeInstances(client);
      const first = instances.find(({ InstanceId }) => InstanceId === id);
      return [tagsOf(first).get('env'), idsOf(instances).includes(started?.id ?? '')];
    };
    now = NOW + 499;
    expect(await seen()).toEqual([expect.not.stringMatching('new'), false]);
    now = NOW + 1001;
    expect(await seen()).toEqual(['new', true]);
    client.destroy();
  });
});

/** The text of an answer to DescribeInstances. */
async function fetchInstances(url: string): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    body: 'Action=DescribeInstances&Version=2016-11-15',
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=any/20261122/${REGION}/ec2/aws4_request, SignedHeaders=host, Signature=0`,
    },
  });
  return await response.text();
}

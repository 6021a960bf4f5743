import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { RoleError } from '@tagplane/aws';
import type { OrganizationAccount } from '@tagplane/aws';
import type { PlaceUsage } from '@tagplane/ec2';
import type { AccountId, Region } from '@tagplane/identity';
import { HOUR, MINUTE, SECOND, silentLogger } from '@tagplane/runtime';
import { blocksOf } from '../testing/blocks.ts';
import { VIRTUAL_TIME } from '../testing/plane.ts';
import { fakeScope } from '../testing/scopes.ts';
import type { EstateBlock } from './config.ts';
import { createEstate } from './estate.ts';
import type { EstateLookups } from './lookups.ts';
import type { WantedScope } from './plan-scopes.ts';
import type { Scope } from './scope.ts';

const [A, B] = ['111111111111', '222222222222'] as unknown as [AccountId, AccountId];
const [WEST, EAST] = ['eu-west-1', 'us-east-1'] as unknown as [Region, Region];
const ROLE = { assume_role: { role_name: 'Tags' } };
const advance = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

/** What AWS says; each may be made to fail. */
class FakeAws implements EstateLookups {
  own: AccountId | Error | undefined = new Error('STS is not there');
  listed: readonly AccountId[] | Error = [];
  open = new Map<string, readonly Region[] | Error>();
  asked = 0;

  async ownAccount(_: string, signal: AbortSignal): Promise<AccountId> {
    if (this.own === undefined) return await hang(signal);
    return orThrow(this.own);
  }

  accounts(): Promise<OrganizationAccount[]> {
    this.asked += 1;
    return settle(() =>
      orThrow(this.listed).map((id) => ({ id, name: id, status: 'active', ous: [], tags: new Map() })),
    );
  }

  regions(_: EstateBlock, account: AccountId | undefined): Promise<Region[]> {
    return settle(() => [...orThrow(this.open.get(account ?? '') ?? [])]);
  }
}

function orThrow<Value>(value: Value | Error): Value {
  if (value instanceof Error) throw value;
  return value;
}
async function settle<Value>(work: () => Value): Promise<Value> {
  await Promise.resolve();
  return work();
}
function hang(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });
}

let aws: FakeAws;
let ended: string[];
let lines: Record<string, unknown>[];
beforeEach(() => {
  jest.useFakeTimers({ doNotFake: [...VIRTUAL_TIME.doNotFake] });
  aws = new FakeAws();
  ended = [];
  lines = [];
});
afterEach(() => {
  jest.useRealTimers();
});

function make({ id, block, place }: WantedScope): Scope {
  return { ...fakeScope({ id, block }), place };
}

function start(blocks: readonly EstateBlock[], usage: readonly PlaceUsage[] = []) {
  const log = silentLogger();
  jest
    .spyOn(log, 'info')
    .mockImplementation((line: unknown) => void lines.push(line as Record<string, unknown>));
  const maker = { make, end: ({ id }: Scope): void => void ended.push(id) };
  const estate = createEstate({ blocks, maker, lookups: aws, governor: { usage: () => [...usage] }, log });
  const stop = new AbortController();
  const running = estate.begin(stop.signal).then(() => estate.run(stop.signal));
  return {
    estate,
    ids: () => estate.scopes.current().map(({ id }) => id),
    problems: () =>
      estate
        .report()
        .filter(({ state }) => state === 'failing')
        .map(({ id, problem }) => [id, problem]),
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the test has ended'));
      await running;
    },
  };
}

const refused = new RoleError({
  roleArn: `arn:aws:iam::${B}:role/Tags`,
  kind: 'denied',
  code: 'AccessDenied',
  fix: 'let its trust policy name this process',
});

describe('the estate of own credentials', () => {
  it('is there at once, with the account that STS tells', async () => {
    aws.own = A;
    await using running = start(blocksOf({ regions: [WEST] }));
    await advance(0);
    expect(running.estate.report()).toMatchObject([{ id: WEST, account: A, region: WEST, state: 'pending' }]);
  });

  it('does without when STS does not answer, and learns it later under the same name', async () => {
    aws.own = undefined;
    await using running = start(blocksOf({ regions: [WEST] }));
    await advance(2 * SECOND);
    expect(running.ids()).toEqual([]);
    await advance(2 * SECOND);
    expect(running.estate.scopes.current()[0]?.place.account).toBeUndefined();
    running.estate.statuses.note(WEST, { state: 'ok' });
    aws.own = A;
    await advance(1.2 * HOUR);
    expect(running.estate.scopes.current()[0]?.place.account).toBe(A);
    expect([ended, running.estate.statuses.get(WEST)]).toMatchObject([[WEST], { state: 'ok', account: A }]);
  });

  it('asks for its regions every hour where it wants all of them', async () => {
    aws.open.set('', [WEST]);
    await using running = start(blocksOf({ regions: ['*'] }));
    await advance(SECOND);
    expect(running.ids()).toEqual([WEST]);
    aws.open.set('', [WEST, EAST]);
    await advance(1.2 * HOUR);
    expect([running.ids(), ended]).toEqual([[WEST, EAST], []]);
  });
});

describe('an organisation', () => {
  const blocks = blocksOf({ organization: {}, regions: ['*'], ...ROLE });

  it('is followed: accounts come, and leave with one line', async () => {
    aws.listed = [A];
    aws.open.set(A, [WEST]).set(B, [WEST, EAST]);
    await using running = start(blocks);
    await advance(2 * SECOND);
    expect(running.ids()).toEqual([`${A}/eu-west-1`]);
    aws.listed = [A, B];
    await advance(17 * MINUTE);
    expect(running.ids()).toEqual([`${A}/eu-west-1`, `${B}/eu-west-1`, `${B}/us-east-1`]);
    aws.listed = [B];
    lines.length = 0;
    await advance(17 * MINUTE);
    expect([running.ids(), ended]).toEqual([[`${B}/eu-west-1`, `${B}/us-east-1`], [`${A}/eu-west-1`]]);
    expect(lines.filter(({ event }) => event === 'scopes_changed')).toMatchObject([{ accounts_left: [A] }]);
    expect(running.estate.statuses.get(`${A}/eu-west-1`)).toBeUndefined();
  });

  it.each([
    ['fails', new Error('Organizations is away')],
    ['is empty', []],
  ])('keeps its accounts when the listing %s, and says so', async (_, listed) => {
    aws.listed = [A];
    aws.open.set(A, [WEST]);
    await using running = start(blocks);
    await advance(2 * SECOND);
    aws.listed = listed;
    await advance(40 * MINUTE);
    expect([running.ids(), ended]).toEqual([[`${A}/eu-west-1`], []]);
    expect(running.problems()).toEqual([
      ['organization', expect.stringMatching(/away|those known before stay/)],
    ]);
    aws.listed = [A];
    await advance(20 * MINUTE);
    expect(running.problems()).toEqual([]);
  });

  it('has one account failing with its fix, and all others at work', async () => {
    aws.listed = [A, B];
    aws.open.set(A, [WEST]).set(B, refused);
    await using running = start(blocks);
    await advance(2 * SECOND);
    expect(running.ids()).toEqual([`${A}/eu-west-1`]);
    expect(running.problems()).toEqual([
      [B, expect.stringContaining('let its trust policy name this process')],
    ]);
    aws.open.set(B, [WEST]);
    await advance(MINUTE);
    expect([running.ids(), running.problems()]).toEqual([[`${A}/eu-west-1`, `${B}/eu-west-1`], []]);
    expect(running.estate.statuses.get(B)).toBeUndefined();
  });

  it('that cannot be listed at the start leaves the other blocks alone', async () => {
    aws.listed = new Error('denied');
    await using running = start([...blocks, ...blocksOf({ accounts: [B], regions: [EAST], ...ROLE })]);
    await advance(SECOND);
    expect([running.ids(), running.problems()]).toEqual([[`${B}/us-east-1`], [['organization', 'denied']]]);
    const asked = aws.asked;
    await advance(HOUR);
    // With full jitter below 10 minutes, about 13; it neither stops nor runs hot.
    expect(aws.asked - asked).toBeGreaterThan(4);
    expect(aws.asked - asked).toBeLessThan(60);
  });
});

describe('the report', () => {
  it('has the figures of each scope’s place, and the same object as long as nothing changes', async () => {
    const used = {
      account: B,
      region: WEST,
      requests: 9,
      throttles: 2,
      quotaUsed: 0.2,
      behindMs: 7,
      ratePerSecond: 5,
    };
    await using running = start(blocksOf({ accounts: [A, B], regions: [WEST], ...ROLE }), [used]);
    await advance(0);
    const [a, b] = running.estate.report();
    expect(a).toMatchObject({ account: A, throttles: 0, quotaUsed: 0 });
    expect(b).toMatchObject({ account: B, throttles: 2, quotaUsed: 0.2, behindMs: 7 });
    expect(running.estate.report()[1]).toBe(b);
    running.estate.statuses.asked(`${B}/eu-west-1`, 3);
    running.estate.statuses.note(`${B}/eu-west-1`, { state: 'ok', instances: 5 });
    running.estate.statuses.restart();
    expect(running.estate.report()[1]).toMatchObject({ state: 'pending', instances: 5, requests: 3 });
  });
});

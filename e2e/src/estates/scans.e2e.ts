import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createEc2Simulator } from '@tagplane/ec2-simulator';
import { createWorld } from '../world/world.ts';
import { EstateWorld, STEP_MS } from './estate-world.ts';

const MANAGEMENT = '111111111111';
const BIG = '222222222222';
const SMALL = '333333333333';
const CLOSED = '444444444444';
const LATER = '555555555555';
const SUSPENDED = '666666666666';
const [HOME, AWAY, OPT_IN] = ['eu-central-1', 'us-east-1', 'af-south-1'] as const;
const ROLE = 'TagplaneDiscovery';
const EXTERNAL_ID = 'estates';
const CLOSED_ROLE = `arn:aws:iam::${CLOSED}:role/${ROLE}`;
/** Twenty pages of ten, with those that are seeded. */
const HUNDREDS = 199;
const PAGES = 20;
const BIG_SCOPE = `${BIG}/${HOME}`;
/** Those that discovery is let into from the beginning. */
const OPEN = [MANAGEMENT, BIG, SMALL];
/** Throttles in a row: more than the SDK tries for one request. */
const BURST = 5;
/** What EC2 gives a paged describe, and how much of it discovery may take. */
const [BUCKET, SHARE] = [100, 0.25];

let plane: EstateWorld;
const fleet = () => plane.aws.fleet;

beforeAll(async () => {
  const aws = await createEc2Simulator({
    instances: 10,
    regions: [HOME, AWAY, OPT_IN],
    account: MANAGEMENT,
    pageSize: 10,
    transitionMs: 10,
    quotas: true,
    estate: {
      accounts: [
        { id: MANAGEMENT },
        { id: BIG, ou: 'workloads', regions: [HOME, AWAY] },
        { id: SMALL, ou: 'workloads' },
        { id: CLOSED, regions: [HOME] },
        { id: SUSPENDED, status: 'SUSPENDED', regions: [HOME] },
      ],
      role: ROLE,
      externalId: EXTERNAL_ID,
    },
  }).listen();
  aws.estate.putRole({ arn: CLOSED_ROLE, trusts: [SMALL], externalId: EXTERNAL_ID });
  const seeded = aws.fleet.list({ account: BIG, region: HOME }).length;
  aws.fleet.run({
    account: BIG,
    region: HOME,
    count: HUNDREDS + 1 - seeded,
    tags: new Map([['env', 'prod']]),
  });
  const place = (account: string, region: string) => {
    const [first] = aws.fleet.list({ account, region, limit: 1 });
    return { account, region, instance: first?.id ?? '' };
  };
  const role = { assume_role: { role_name: ROLE, external_id: EXTERNAL_ID } };
  const organization = { poll_interval: '1m', exclude: { accounts: [CLOSED] } };
  const blocks = [
    { organization, ...role, regions: ['*'] },
    { accounts: [CLOSED], ...role, regions: [HOME] },
  ];
  const world = await createWorld({
    redisUrl: undefined,
    auths: 1,
    ec2Url: aws.url,
    regions: [HOME],
    pollInterval: '1s',
    places: [place(BIG, HOME), place(SMALL, HOME)],
    discoveries: [{ name: 'e2e', settings: { AWS: JSON.stringify(blocks) }, env: { AWS_REGION: HOME } }],
  });
  plane = new EstateWorld(aws, world);
  await plane.begin(plane.views(OPEN));
  await plane.exact(OPEN);
}, 3 * STEP_MS);

afterAll(async () => {
  await plane[Symbol.asyncDispose]();
}, STEP_MS);

/** Gives one instance of an account another tag. */
function retag(account: string, region: string, index: number, value: string): void {
  const ref = fleet().list({ account, region, limit: Infinity }).at(index);
  if (ref === undefined) throw new Error('no such instance');
  fleet().changeTags(ref, { set: new Map([['changed', value]]) });
}

async function agentsHaveTheirs(): Promise<void> {
  for (const agent of plane.world.agents) {
    const { account, region, instance: id } = agent.place;
    const wanted = fleet().get({ account, region, id }).tags;
    await plane.until('the agent has its tags', async () => same(await agent.tags(), wanted));
  }
}

function same(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}

describe('an organisation of five accounts', () => {
  it('is scanned in every region that each account has enabled, and suspended accounts are not', async () => {
    const of = (account: string, ...regions: string[]) => regions.map((region) => `${account}/${region}`);
    const open = [
      ...of(MANAGEMENT, HOME, AWAY, OPT_IN),
      ...of(BIG, HOME, AWAY),
      ...of(SMALL, HOME, AWAY, OPT_IN),
    ];
    // They are told of within seconds of their scans.
    const ids = await plane.until('every open scope is told of', async () => {
      const told = (await plane.scopes()).map(({ id }) => id);
      return open.every((id) => told.includes(id)) && told;
    });
    expect(ids).not.toContain(`${BIG}/${OPT_IN}`);
    expect(ids.filter((id) => id.startsWith(SUSPENDED))).toEqual([]);
    await agentsHaveTheirs();
  });

  it(
    'has one account whose role refuses: that one fails, with the fix, and no other',
    async () => {
      const failing = await plane.until('the refused account is told of', async () => {
        const { failing: rows } = JSON.parse(
          await plane.tagctl('discovery', 'status', '--format', 'json'),
        ) as {
          failing: { id: string; problem: string }[];
        };
        return rows.length > 0 && rows;
      });
      expect(failing.map(({ id }) => id.split('/')[0])).toEqual([CLOSED]);
      expect(failing[0]?.problem).toContain(CLOSED_ROLE);
      expect(failing[0]?.problem).toMatch(/trust/);
      expect((await plane.held()).size).toBe(plane.wanted(OPEN).size);
    },
    STEP_MS,
  );
});

describe('a scan that fails', () => {
  it(
    'on page 7 of 20 changes nothing of its scope, and the others go on',
    async () => {
      const error = { code: 'InternalError', message: 'page 7', status: 500 };
      fleet().addFault({
        action: 'DescribeInstances',
        account: BIG,
        region: HOME,
        page: 7,
        count: 1_000,
        error,
      });
      expect((await plane.scope(BIG_SCOPE, 'FAILING')).problem).toContain('InternalError');
      retag(BIG, HOME, 0, 'on the first page');
      retag(SMALL, HOME, 0, 'elsewhere');
      const before = plane.wanted([BIG]);
      await plane.scanned(`${SMALL}/${HOME}`);
      const held = await plane.held();
      const [first] = fleet().list({ account: BIG, region: HOME, limit: 1 });
      expect(held.get(`aws-${BIG}-${HOME}-${first?.id ?? ''}`)).not.toHaveProperty('aws/changed');
      expect([...held.keys()].filter((name) => name.includes(BIG)).length).toBe(before.size);
      fleet().faults.clear();
      await plane.scope(BIG_SCOPE, 'OK');
      await plane.exact(OPEN);
      await agentsHaveTheirs();
    },
    2 * STEP_MS,
  );

  it(
    'because its NextToken turned invalid starts over, and loses nothing',
    async () => {
      const upserts = await plane.metric('upserts_total');
      const error = { code: 'InvalidNextToken', message: 'the token has expired', status: 400 };
      fleet().addFault({ action: 'DescribeInstances', account: BIG, region: HOME, page: 11, error });
      await plane.faultsFallen();
      await plane.scanned(BIG_SCOPE);
      await plane.exact(OPEN);
      expect(await plane.metric('upserts_total')).toBe(upserts);
    },
    STEP_MS,
  );

  it(
    'by a cut, by garbage, by truncated XML changes nothing',
    async () => {
      const upserts = await plane.metric('upserts_total');
      const of = { action: 'DescribeInstances', account: BIG, region: HOME } as const;
      fleet().addFault({ ...of, page: 3, cutAfter: 9_000 });
      fleet().addFault({ ...of, page: 5, truncateAfter: 9_000 });
      fleet().addFault({ ...of, page: 4, body: '<html>gateway</html>' });
      await plane.faultsFallen();
      await plane.scanned(BIG_SCOPE);
      await plane.exact(OPEN);
      expect(await plane.metric('upserts_total')).toBe(upserts);
    },
    STEP_MS,
  );

  it(
    'is not one in which instances come and go between two pages: all others stand as they are',
    async () => {
      fleet().addFault({ action: 'DescribeInstances', account: BIG, region: HOME, page: 10, delayMs: 1_500 });
      await plane.faultsFallen();
      const views = fleet().list({ account: BIG, region: HOME, limit: Infinity });
      const [come] = fleet().run({ account: BIG, region: HOME, count: 1, tags: new Map([['new', 'yes']]) });
      const went = views.at(2);
      if (come === undefined || went === undefined) throw new Error('no instance');
      fleet().vanish(went);
      await plane.until('the new one is there', async () =>
        (await plane.held()).has(`aws-${BIG}-${HOME}-${come.id}`),
      );
      await plane.scanned(BIG_SCOPE);
      // Never seen as terminated, it may stay until its time is up.
      const held = await plane.held();
      const other = [...plane.wanted(OPEN).keys()].filter((name) => !held.has(name));
      expect(other).toEqual([]);
      expect(held.has(`aws-${BIG}-${HOME}-${went.id}`)).toBe(true);
    },
    STEP_MS,
  );

  it(
    'in a region that is down leaves the region’s labels, and the other regions alone',
    async () => {
      const before = await plane.held();
      fleet().addFault({ region: AWAY, count: 100_000, drop: true });
      const { problem } = await plane.scope(`${SMALL}/${AWAY}`, 'FAILING');
      expect(problem).toContain('unreachable');
      retag(SMALL, HOME, 0, 'while a region is down');
      await agentsHaveTheirs();
      expect([...(await plane.held()).keys()].sort()).toEqual([...before.keys()].sort());
      fleet().faults.clear();
      await plane.scope(`${SMALL}/${AWAY}`, 'OK');
    },
    2 * STEP_MS,
  );
});

describe('what a scan finds', () => {
  it(
    'is not believed when it is nothing where there were hundreds: the guard holds it',
    async () => {
      const before = await plane.held();
      fleet().addFault({
        action: 'DescribeInstances',
        account: BIG,
        region: HOME,
        count: 1_000,
        view: 'empty',
      });
      await plane.until('the guard holds the change', async () => {
        const holds = JSON.parse(await plane.tagctl('guard', 'ls', '--format', 'json')) as {
          state: string;
        }[];
        return holds.some(({ state }) => state.toLowerCase() === 'held');
      });
      expect(await plane.tagctl('status')).toContain('guard release');
      await plane.scanned(BIG_SCOPE);
      expect([...(await plane.held()).keys()].sort()).toEqual([...before.keys()].sort());
      const counts = await Promise.all(plane.world.agents.map(async (agent) => (await agent.tags()).size));
      expect(counts.every((count) => count > 0)).toBe(true);
      fleet().faults.clear();
      await plane.until('nothing is held any more', async () => {
        const holds = JSON.parse(await plane.tagctl('guard', 'ls', '--format', 'json')) as {
          state: string;
        }[];
        return !holds.some(({ state }) => state.toLowerCase() === 'held');
      });
    },
    2 * STEP_MS,
  );

  it(
    'is gone at once when it is seen terminated',
    async () => {
      const [agent] = plane.world.agents.filter(({ place }) => place.account === SMALL);
      if (agent === undefined) throw new Error('no agent there');
      const { account, region, instance: id } = agent.place;
      fleet().setState({ account, region, id }, 'terminated');
      await plane.until(
        'the ServerInfo is gone',
        async () => !(await plane.held()).has(`aws-${account}-${region}-${id}`),
      );
      await plane.until('so are the agent’s tags', async () => (await agent.tags()).size === 0);
    },
    STEP_MS,
  );
});

describe('EC2’s request quota', () => {
  it(
    'outlives a burst of throttles in one place, and its share is never exceeded in any',
    async () => {
      const error = { code: 'RequestLimitExceeded', message: 'Request limit exceeded.', status: 503 };
      const scope = `${MANAGEMENT}/${HOME}`;
      fleet().addFault({
        action: 'DescribeInstances',
        account: MANAGEMENT,
        region: HOME,
        count: BURST,
        error,
      });
      await plane.faultsFallen();
      await plane.scanned(scope, 1);
      await plane.scope(scope, 'OK');
      const throttles = (account: string) => plane.metric('ec2_place_throttles', `account="${account}"`);
      expect([await throttles(MANAGEMENT), await throttles(BIG)]).toEqual([BURST, 0]);
      const buckets = fleet().report().quotas;
      const describes = buckets.filter(({ bucket }) => bucket === 'DescribeInstances');
      expect(describes.length).toBeGreaterThanOrEqual(8);
      expect(describes.filter(({ refused }) => refused > 0)).toEqual([]);
      // What a share of a bucket may take at once is that share of its size, and the rest is never touched.
      const least = Math.min(...describes.map((bucket) => bucket.least));
      process.stdout.write(
        `${JSON.stringify({ requests: total(describes), fewestTokens: least, pages: PAGES })}\n`,
      );
      expect(least).toBeGreaterThanOrEqual(BUCKET * (1 - SHARE) - 1);
    },
    2 * STEP_MS,
  );
});

describe('accounts', () => {
  it(
    'that let discovery in, join and leave are followed',
    async () => {
      const { estate } = plane.aws;
      estate.putRole({ arn: CLOSED_ROLE, trusts: [MANAGEMENT], externalId: EXTERNAL_ID });
      estate.join({ id: LATER, regions: [HOME] });
      fleet().run({ account: LATER, region: HOME, count: 3, tags: new Map([['joined', 'later']]) });
      estate.leave(SMALL);
      await plane.until('the account that joined is there', async () => {
        const held = await plane.held();
        return [...plane.wanted([LATER, CLOSED]).keys()].every((name) => held.has(name));
      });
      await plane.until(
        'the account that left is not scanned',
        async () => !(await plane.scopes()).some(({ id }) => id.startsWith(SMALL)),
      );
      await plane.scope(`${CLOSED}/${HOME}`, 'OK');
    },
    2 * STEP_MS,
  );
});

function total(buckets: readonly { readonly taken: number }[]): number {
  return buckets.reduce((sum, { taken }) => sum + taken, 0);
}

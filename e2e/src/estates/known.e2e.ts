import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createEc2Simulator } from '@tagplane/ec2-simulator';
import { createWorld } from '../world/world.ts';
import { EstateWorld, STEP_MS } from './estate-world.ts';

const INSTANCES = 10_000;
const ACCOUNTS = 40;
const REGIONS = ['eu-central-1', 'eu-west-1', 'us-east-1', 'us-west-2', 'ap-southeast-2'];
const SCOPES = ACCOUNTS * REGIONS.length;
/** Instances that were not known, and as many whose tags had changed meanwhile. */
const DUE = 12;
const ROLE = 'TagplaneDiscovery';
const NAME = 'e2e';

let plane: EstateWorld;
const accounts = () => plane.aws.estate.accounts.map(({ id }) => id);

beforeAll(async () => {
  const aws = await createEc2Simulator({
    ...{ instances: INSTANCES, regions: REGIONS, quotas: true },
    estate: { accounts: ACCOUNTS, role: ROLE },
  }).listen();
  const block = { organization: {}, assume_role: { role_name: ROLE }, regions: ['*'] };
  const settings = { AWS: JSON.stringify([block]), MAX_CONCURRENT_SCANS: '16' };
  const world = await createWorld({
    ...{ redisUrl: undefined, auths: 1, ec2Url: aws.url, regions: REGIONS, pollInterval: '5m', places: [] },
    discoveries: [{ name: NAME, settings, env: { AWS_REGION: 'us-east-1' } }],
  });
  plane = new EstateWorld(aws, world);
}, 2 * STEP_MS);

afterAll(async () => {
  await plane[Symbol.asyncDispose]();
}, STEP_MS);

/** Every scope has been scanned completely since discovery was started. */
async function allScanned(): Promise<void> {
  await plane.until(
    'every scope is scanned',
    async () => {
      const text = await plane.world.discovery.metrics();
      const done = text.match(/^tagplane_discovery_scans_total\{.*result="complete".*\} [1-9]/gm) ?? [];
      return done.length === SCOPES;
    },
    2 * STEP_MS,
  );
}

describe('an estate of 40 accounts × 5 regions, 10,000 instances of which are known', () => {
  it(
    'is exact after one round of scans, in which only what is new or changed is sent',
    async () => {
      const views = plane.views(accounts());
      expect(views).toHaveLength(INSTANCES);
      const every = Math.floor(INSTANCES / DUE);
      const known = views.filter((_, index) => index % every !== 0 || index >= every * DUE);
      for (const view of views.filter((_, index) => index % every === 1 && index < every * DUE)) {
        plane.aws.fleet.changeTags(view, { set: new Map([['changed', 'meanwhile']]) });
      }
      await plane.begin(known);
      await allScanned();
      await plane.exact(accounts());
      expect(await plane.metric('upserts_total')).toBe(2 * DUE);
      expect(await plane.metric('instances')).toBe(INSTANCES);
    },
    5 * STEP_MS,
  );

  it(
    'costs zero upserts when discovery is started again',
    async () => {
      await plane.world.discovery.stop();
      await plane.world.discovery.start();
      await plane.world.discovery.ready();
      await allScanned();
      expect(await plane.metric('known_server_infos')).toBe(INSTANCES);
      expect(await plane.metric('upserts_total')).toBe(0);
      expect(await plane.metric('queue_length')).toBe(0);
      await plane.exact(accounts());
    },
    4 * STEP_MS,
  );

  it('took no more of any account’s and region’s request rate than its share', () => {
    const describes = plane.aws.fleet.report().quotas.filter(({ bucket }) => bucket === 'DescribeInstances');
    expect(describes).toHaveLength(SCOPES);
    expect(describes.filter(({ refused, least }) => refused > 0 || least < 74)).toEqual([]);
  });
});

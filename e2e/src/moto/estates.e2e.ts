import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startMoto } from '@tagplane/ec2/testing';
import type { Moto } from '@tagplane/ec2/testing';
import { runTagctl, tagctlEnv, waitFor } from '@tagplane/harness';
import type { World } from '../world/world.ts';
import { createWorld } from '../world/world.ts';
import type { Boto3 } from './boto3.ts';
import { startBoto3 } from './boto3.ts';

const REGIONS = ['eu-central-1', 'us-west-2'];
const STEP_MS = 240_000;
const ROLE = 'TagplaneDiscovery';

let moto: Moto;
let boto3: Boto3;
let world: World;
/** moto's own, which is the organisation's. */
let management = '';
let members: string[] = [];

const roleOf = (account: string): string => `arn:aws:iam::${account}:role/${ROLE}`;

beforeAll(async () => {
  moto = await startMoto();
  boto3 = await startBoto3(moto.url);
  const [made, , ...created] = (await boto3.call([
    { ...organizations, method: 'create_organization', arguments: { FeatureSet: 'ALL' } },
    { ...organizations, method: 'list_roots' },
    ...['one', 'two', 'left-out'].map((name) => ({
      ...organizations,
      method: 'create_account',
      arguments: { AccountName: name, Email: `${name}@example.com`, Tags: [{ Key: 'env', Value: name }] },
    })),
  ])) as [{ Organization: { MasterAccountId: string } }, unknown, ...Created[]];
  management = made.Organization.MasterAccountId;
  members = created.map(({ CreateAccountStatus: { AccountId } }) => AccountId);
  await boto3.call(
    [management, ...members].flatMap((account) => REGIONS.map((region) => started(account, region))),
  );
  const block = {
    organization: { exclude: { tags: { env: ['left-*'] } } },
    assume_role: { role_arn: `arn:aws:iam::{account}:role/${ROLE}`, external_id: 'any' },
    regions: REGIONS,
    tags: { 'of account': ['*'] },
    import: { deny: ['secret*'], rename: { 'of account': 'account' } },
    labels: { site: 'moto' },
  };
  world = await createWorld({
    ...{ redisUrl: undefined, auths: 1, ec2Url: moto.url, regions: REGIONS, pollInterval: '2s', places: [] },
    discoveries: [
      { name: 'e2e', settings: { AWS: JSON.stringify([block]) }, env: { AWS_REGION: 'us-east-1' } },
    ],
  });
  await world.start();
}, 2 * STEP_MS);

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await moto.stop();
}, STEP_MS);

interface Created {
  readonly CreateAccountStatus: { readonly AccountId: string };
}

const organizations = { region: 'us-east-1', service: 'organizations' } as const;

/** An instance of an account, started with that account's own role. */
function started(account: string, region: string) {
  const Tags = Object.entries({ 'of account': `${account} ☃`, 'secret/key': 'x' }).map(([Key, Value]) => ({
    Key,
    Value,
  }));
  return {
    region,
    assume: roleOf(account),
    method: 'run_instances',
    arguments: {
      ...{ ImageId: 'ami-12345678', MinCount: 1, MaxCount: 1 },
      TagSpecifications: [{ ResourceType: 'instance', Tags }],
    },
  };
}

async function scopeIds(): Promise<string[]> {
  const env = tagctlEnv({ port: world.authPorts[0] ?? 0, credentialFile: world.credentialFile });
  const { stdout } = await runTagctl(['discovery', 'scopes', '--format', 'json'], env);
  const scopes = JSON.parse(stdout) as { id: string; state: string }[];
  return scopes.filter(({ state }) => state === 'OK').map(({ id }) => id);
}

describe('an organisation in moto, through a discovery of its own', () => {
  it(
    'is scanned account by account with the role of each, but for those that are left out',
    async () => {
      const accounts = [management, ...members.slice(0, 2)];
      const wanted = accounts.flatMap((account) => REGIONS.map((region) => `${account}/${region}`)).sort();
      await waitFor('every scope is scanned', async () => (await scopeIds()).length === wanted.length, {
        timeoutMs: STEP_MS,
        everyMs: 500,
      });
      expect((await scopeIds()).sort()).toEqual(wanted);
    },
    2 * STEP_MS,
  );

  it(
    'gives each instance the labels that its block says',
    async () => {
      using operator = world.operator(0);
      await waitFor('all are there', async () => (await operator.listServerInfos()).length === 6, {
        timeoutMs: STEP_MS,
      });
      for (const { name, labels } of await operator.listServerInfos()) {
        const [, account = ''] = name.split('-');
        expect(labels).toEqual({ 'aws/account': `${account} ☃`, 'aws/site': 'moto' });
      }
    },
    2 * STEP_MS,
  );
});

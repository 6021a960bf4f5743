import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createKey } from '@tagplane/credentials';
import { Role } from '@tagplane/protocol';
import { tryIam, tryJoin } from '../../testing/join-tries.ts';
import { instanceId } from '../../testing/samples.ts';
import { STS_HOST, signCall } from '../../testing/signed-caller.ts';
import type { TestKeys } from '../../testing/signed-caller.ts';
import { startStsSimulator } from '../../testing/sts-simulator.ts';
import type { StsSimulator } from '../../testing/sts-simulator.ts';
import { TestJoin } from '../../testing/test-join.ts';
import { joinField } from '../config.ts';

const ACCOUNT = '123456789012';
const INSTANCE = instanceId(1);
const ON_INSTANCE = `on eu-central-1/${INSTANCE}`;
const RULES = [
  { account: ACCOUNT, role: 'aws:ec2-instance' },
  { account: ACCOUNT, role: 'web-*' },
  { account: ACCOUNT, role: 'disco', roles: ['discovery'] },
];

describe('joining by an AWS role, by the STS of the simulator', () => {
  let sts: StsSimulator;
  let joining: TestJoin;
  beforeAll(async () => {
    sts = await startStsSimulator();
  });
  afterAll(async () => {
    await sts[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    joining = testJoin(RULES);
  });
  afterEach(() => joining[Symbol.asyncDispose]());

  function testJoin(allow: readonly object[], endpoint = sts.url): TestJoin {
    const { iam } = joinField.parse({ iam: { allow, sts_endpoint: endpoint } });
    return new TestJoin({ config: { iam, ec2: undefined } });
  }

  const role = (name: string, session = 'session'): Promise<TestKeys> =>
    sts.credentials({ account: ACCOUNT, arn: `arn:aws:sts::${ACCOUNT}:assumed-role/${name}/${session}` });
  const ofInstance = (id = INSTANCE): Promise<TestKeys> => role('aws:ec2-instance', id);

  it('proves the instance whose own role signed', async () => {
    const end = await tryIam(joining, await ofInstance());
    expect(end).toMatch(new RegExp(`^spiffe://test/agent/[0-9a-f-]{36} ${ON_INSTANCE}$`));
    expect(joining.audit.of('join.ok')).toMatchObject([
      {
        details: {
          method: 'iam',
          proof: `arn:aws:sts::${ACCOUNT}:assumed-role/aws:ec2-instance/${INSTANCE}`,
          instance: `${ACCOUNT}/eu-central-1/${INSTANCE}`,
        },
      },
    ]);
  });

  it('proves no instance by any other role, whatever its session is called', async () => {
    expect(await tryIam(joining, await role('web-prod', INSTANCE), { name: 'a' })).toBe(
      'spiffe://test/agent/a',
    );
  });

  it('gives the same server id again after a lost disk, and to nobody else', async () => {
    const first = await tryIam(joining, await ofInstance());
    expect(await tryIam(joining, await ofInstance())).toBe(first);
    const name = first.replace(/^.*agent\/(\S+) .*$/, '$1');
    expect(await tryIam(joining, await ofInstance(), { name })).toBe(first);
    const inUse = 'PermissionDenied: the name is in use: an operator may reset it, or give a token for it';
    expect(await tryIam(joining, await ofInstance(instanceId(2)), { name })).toBe(inUse);
    expect(await tryIam(joining, await role('web-prod'), { name })).toBe(inUse);
  });

  it('lets a discovery in where a rule says so, with its name again', async () => {
    const asDiscovery = { role: Role.DISCOVERY, name: 'd' };
    expect(await tryIam(joining, await role('disco'), asDiscovery)).toBe('spiffe://test/discovery/d');
    expect(await tryIam(joining, await role('disco', 'later'), asDiscovery)).toBe(
      'spiffe://test/discovery/d',
    );
    const refused = 'PermissionDenied: no rule lets this AWS role in';
    expect(await tryIam(joining, await role('disco'))).toBe(refused);
    expect(await tryIam(joining, await role('web-prod'), asDiscovery)).toBe(refused);
    expect(await tryIam(joining, await ofInstance(), asDiscovery)).toBe(refused);
    expect(await tryIam(joining, await role('disco'), { role: Role.OPERATOR, name: 'eve' })).toBe(refused);
  });

  it('refuses whom no rule lets in, and audits who that was', async () => {
    const arn = 'arn:aws:sts::210987654321:assumed-role/aws:ec2-instance/i-0123456789abcdef0';
    const stranger = await sts.credentials({ account: '210987654321', arn });
    expect(await tryIam(joining, stranger)).toBe('PermissionDenied: no rule lets this AWS role in');
    expect(joining.audit.of('join.refused')).toMatchObject([{ details: { method: 'iam', arn } }]);
    await using closed = testJoin([{ account: ACCOUNT, role: 'nobody' }]);
    expect(await tryIam(closed, await ofInstance())).toBe('PermissionDenied: no rule lets this AWS role in');
  });

  it('refuses a role of another partition than that of the host', async () => {
    const arn = `arn:aws-cn:sts::${ACCOUNT}:assumed-role/web-prod/s`;
    await using lax = testJoin([{ account: ACCOUNT, partition: 'aws-cn' }]);
    expect(await tryIam(lax, await sts.credentials({ account: ACCOUNT, arn }))).toBe(
      'PermissionDenied: STS answers for another partition',
    );
  });

  it.each([
    ['none', ''],
    ['no region', 'here'],
  ])('refuses an instance whose region is %s', async (_what, region) => {
    expect(await tryIam(joining, await ofInstance(), { region })).toBe(
      'PermissionDenied: the region of the instance is missing',
    );
  });

  it('finds the lock of an instance under whatever region it names', async () => {
    joining.locks.reasons.set(`${ACCOUNT}/eu-central-1/${INSTANCE}`, 'stolen');
    for (const region of ['eu-central-1', 'us-east-1']) {
      expect(await tryIam(joining, await ofInstance(), { region })).toBe('PermissionDenied: it is locked');
    }
  });

  it('refuses a request that was signed for another challenge or another key', async () => {
    const keys = await ofInstance();
    const overheard: { nonce: string; key: ReturnType<typeof createKey> } = { nonce: '', key: createKey() };
    let headers: Record<string, string> = {};
    await joining.join({
      key: overheard.key,
      method: async ({ nonce }) => {
        overheard.nonce = nonce;
        headers = await signCall(keys, { nonce, publicKey: overheard.key.publicKey });
        return { case: 'iam', value: { host: STS_HOST, headers, region: 'eu-central-1' } };
      },
    });
    // The same request again, by its own key: the nonce was good for that one exchange.
    const replay = { case: 'iam', value: { host: STS_HOST, headers, region: 'eu-central-1' } } as const;
    expect(await tryJoin(joining, { key: overheard.key, method: replay })).toBe(
      'PermissionDenied: the signed request is refused: it is signed for another challenge',
    );
    const { publicKey } = createKey();
    expect(await tryIam(joining, keys, { signed: { publicKey } })).toBe(
      'PermissionDenied: the signed request is refused: it is signed for another key',
    );
    expect(JSON.stringify(joining.audit.records)).not.toContain(keys.sessionToken);
  });

  it.each(['evil.example', '169.254.169.254', 'sts.amazonaws.com.evil.example', 'localhost:1'])(
    'asks no host of the request’s choice: %s',
    async (host) => {
      expect(await tryIam(joining, await ofInstance(), { signed: { host } })).toBe(
        'PermissionDenied: the request is signed for a host that is no STS',
      );
    },
  );

  it('takes what is signed for the endpoint that is configured', async () => {
    const { host } = new URL(sts.url);
    expect(await tryIam(joining, await role('web-prod'), { name: 'a', signed: { host } })).toBe(
      'spiffe://test/agent/a',
    );
  });

  it('passes on why STS refused', async () => {
    const keys = await ofInstance();
    const refused = 'PermissionDenied: STS refused the request:';
    expect(await tryIam(joining, { ...keys, secretAccessKey: 'x' })).toBe(`${refused} SignatureDoesNotMatch`);
    expect(await tryIam(joining, { ...keys, accessKeyId: 'AKIAX' })).toBe(`${refused} InvalidClientTokenId`);
    const arn = `arn:aws:sts::${ACCOUNT}:assumed-role/web-prod/s`;
    const old = await sts.credentials({ account: ACCOUNT, arn, ttl_ms: -1 });
    expect(await tryIam(joining, old)).toBe(`${refused} ExpiredToken`);
    await sts.fault({ code: 'AccessDenied', status: 403 });
    expect(await tryIam(joining, keys)).toBe(`${refused} AccessDenied`);
    expect(joining.audit.of('join.refused').map(({ result }) => result)).toEqual(
      Array.from({ length: 4 }, () => 'refused'),
    );
  });

  it.each([
    ['500', { code: 'InternalFailure', status: 500 }],
    ['garbage', { body: '<html>welcome</html>' }],
    ['that it is throttled', { code: 'Throttling', status: 400 }],
  ])('asks to try again when STS answers %s', async (_what, fault) => {
    const keys = await ofInstance();
    await sts.fault(fault);
    expect(await tryIam(joining, keys)).toBe('Unavailable: STS did not answer');
    expect(joining.audit.of('join.refused')).toMatchObject([
      { result: 'failed', reason: 'STS did not answer' },
    ]);
    expect(await tryIam(joining, keys)).toContain(ON_INSTANCE);
  });

  it('asks to try again when STS never answers', async () => {
    const keys = await ofInstance();
    await sts.fault({ delay_ms: 300_000 });
    expect(await tryIam(joining, keys)).toBe('Unavailable: STS did not answer');
  });
});

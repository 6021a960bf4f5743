import { afterEach, describe, expect, it } from '@jest/globals';
import { callerAccount } from './caller.ts';
import { RoleError } from './role-error.ts';
import { createRoleCredentials, createRoles } from './roles.ts';
import { assumedXml, fakeEndpoint, testRegion } from './testing/index.ts';
import type { EndpointAnswer, FakeEndpoint, ReceivedCall } from './testing/index.ts';

const region = testRegion();
const base = { accessKeyId: 'BASE', secretAccessKey: 'base-secret' };
const HUB = { roleArn: 'arn:aws:iam::111111111111:role/Hub' };
const member = (account: string) => ({
  roleArn: `arn:aws:iam::${account}:role/Member`,
  externalId: 'ext-id',
});

let endpoint: FakeEndpoint;
afterEach(async () => {
  await endpoint[Symbol.asyncDispose]();
});

async function serve(script: (call: ReceivedCall) => EndpointAnswer): Promise<{ endpoint: string }> {
  endpoint = await fakeEndpoint(script);
  return { endpoint: endpoint.url };
}

const inAnHour = (): Date => new Date(Date.now() + 3_600_000);

/** Names the key after the account and the role. */
function assumed({ input }: ReceivedCall): EndpointAnswer {
  const [, account, role] = /::(\d+):role\/(\w+)/.exec(String(input['RoleArn'])) ?? [];
  return { body: assumedXml(`${role}-${account}`, inAnHour()) };
}

describe('createRoleCredentials', () => {
  it('assumes each role of the chain with the one before it', async () => {
    const options = await serve(assumed);
    const chain = [HUB, { ...member('222222222222'), sessionName: 'me', tags: { team: 'a', env: 'b' } }];
    using roles = createRoleCredentials({ chain, base, region, ...options });
    const credentials = await roles.provider();
    expect(credentials).toMatchObject({
      accessKeyId: 'Member-222222222222',
      secretAccessKey: 'secret-of-Member-222222222222',
      sessionToken: 'token-of-Member-222222222222',
    });
    expect(endpoint.calls.map(({ accessKeyId }) => accessKeyId)).toEqual(['BASE', 'Hub-111111111111']);
    expect(endpoint.calls[0]?.input).toEqual({
      RoleArn: HUB.roleArn,
      RoleSessionName: 'tagplane-discovery',
      Version: '2011-06-15',
    });
    expect(endpoint.calls[1]?.input).toMatchObject({
      ExternalId: 'ext-id',
      RoleSessionName: 'me',
      'Tags.member.1.Key': 'team',
      'Tags.member.2.Value': 'b',
    });
  });

  it('is refused with what to do, and without a secret', async () => {
    const message = 'User: arn:aws:iam::111111111111:user/me is not authorized to perform: sts:AssumeRole';
    const options = await serve(() => ({ error: 'AccessDenied', status: 403, message }));
    using roles = createRoleCredentials({ chain: [member('222222222222')], base, region, ...options });
    const error: unknown = await roles.provider().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RoleError);
    expect(error).toMatchObject({
      roleArn: 'arn:aws:iam::222222222222:role/Member',
      kind: 'denied',
      code: 'AccessDenied',
      fix: expect.stringContaining('trust policy lets arn:aws:iam::111111111111:user/me do sts:AssumeRole'),
    });
    const { message: told, stack } = error as Error;
    expect(told).toContain('cannot assume arn:aws:iam::222222222222:role/Member: AccessDenied: check that');
    for (const secret of ['ext-id', 'base-secret']) expect(`${told}${stack ?? ''}`).not.toContain(secret);
  });

  it('names the role at which the chain ended, and lets it through any call made with it', async () => {
    const options = await serve(() => ({ error: 'AccessDenied', status: 403 }));
    using roles = createRoleCredentials({ chain: [HUB, member('222222222222')], base, region, ...options });
    await expect(roles.provider()).rejects.toMatchObject({ name: 'RoleError', roleArn: HUB.roleArn });
    const calling = callerAccount(
      { region, credentials: roles.provider, ...options },
      AbortSignal.timeout(60_000),
    );
    await expect(calling).rejects.toMatchObject({ name: 'RoleError', roleArn: HUB.roleArn });
    expect(endpoint.calls.map(({ operation }) => operation)).toEqual(['AssumeRole']);
  });

  it('takes an answer without credentials for none', async () => {
    const body = '<AssumeRoleResponse><AssumeRoleResult/></AssumeRoleResponse>';
    const options = await serve(() => ({ body }));
    using roles = createRoleCredentials({ chain: [HUB], base, region, ...options });
    await expect(roles.provider()).rejects.toMatchObject({ kind: 'other', code: 'MalformedResponse' });
  });

  it('ends at once when it is disposed of', async () => {
    const begun = Promise.withResolvers<undefined>();
    const options = await serve(() => {
      begun.resolve(undefined);
      return undefined;
    });
    const roles = createRoleCredentials({ chain: [HUB], base, region, ...options });
    const asked = roles.provider();
    const refused = expect(asked).rejects.toMatchObject({ name: 'RoleError', kind: 'aborted' });
    await begun.promise;
    roles[Symbol.dispose]();
    await refused;
  });
});

describe('createRoles', () => {
  it('assumes what chains have in common once', async () => {
    const options = await serve(assumed);
    using roles = createRoles({ base, region, ...options });
    const accounts = ['222222222222', '333333333333', '444444444444'];
    const keys = await Promise.all(
      accounts.map(async (account) => (await roles.provider([HUB, member(account)])()).accessKeyId),
    );
    expect(keys).toEqual(accounts.map((account) => `Member-${account}`));
    expect(endpoint.calls.map(({ input }) => input['RoleArn']).sort()).toEqual(
      [HUB, ...accounts.map(member)].map(({ roleArn }) => roleArn),
    );
    expect(roles.provider([HUB])).toBe(roles.provider([HUB]));
  });

  it('assumes again what was forgotten, but not what others still begin with', async () => {
    const options = await serve(assumed);
    using roles = createRoles({ base, region, ...options });
    const [one, other] = [
      [HUB, member('222222222222')],
      [HUB, member('333333333333')],
    ] as const;
    await roles.provider(one)();
    await roles.provider(other)();
    roles.forget(one);
    roles.forget([member('999999999999')]);
    await roles.provider(other)();
    await roles.provider(one)();
    const arns = endpoint.calls.map(({ input }) => input['RoleArn']);
    expect(arns).toEqual([HUB, one[1], other[1], one[1]].map(({ roleArn }) => roleArn));
  });

  it('keeps one account’s refusal to that account', async () => {
    const options = await serve((call) =>
      String(call.input['RoleArn']).includes('333333333333')
        ? { error: 'AccessDenied', status: 403 }
        : assumed(call),
    );
    using roles = createRoles({ base, region, ...options });
    await expect(roles.provider([member('333333333333')])()).rejects.toThrow(RoleError);
    expect((await roles.provider([member('222222222222')])()).accessKeyId).toBe('Member-222222222222');
  });

  it('has no provider for no role', async () => {
    const options = await serve(assumed);
    using roles = createRoles({ base, region, ...options });
    expect(() => roles.provider([])).toThrow(RangeError);
  });
});

describe('callerAccount', () => {
  const answer = (account: string) => ({
    body: `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>${account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`,
  });

  it('is the account of the credentials', async () => {
    const options = await serve(() => answer('123456789012'));
    const call = { region, credentials: base, ...options };
    expect(await callerAccount(call, AbortSignal.timeout(60_000))).toBe('123456789012');
  });

  it('is nothing but twelve digits', async () => {
    const options = await serve(() => answer('root'));
    const asked = callerAccount({ region, credentials: base, ...options }, AbortSignal.timeout(60_000));
    await expect(asked).rejects.toMatchObject({ name: 'AwsCallError', code: 'MalformedResponse' });
  });
});

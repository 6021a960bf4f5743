import type { MessageInitShape } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConnectError } from '@connectrpc/connect';
import { Role } from '@tagplane/protocol';
import type { AddTokenRequestSchema } from '@tagplane/protocol';
import { HOUR, MINUTE } from '@tagplane/runtime';
import { codeOf, instanceId } from '../testing/samples.ts';
import { TestJoin } from '../testing/test-join.ts';
import type { Attempt } from '../testing/test-join.ts';

const INSTANCE = { accountId: '123456789012', region: 'eu-central-1', instanceId: instanceId(1) };

let joining: TestJoin;
beforeEach(() => {
  joining = new TestJoin();
});
afterEach(() => joining[Symbol.asyncDispose]());

type TokenInit = Omit<MessageInitShape<typeof AddTokenRequestSchema>, '$typeName'>;

async function add(request: TokenInit = {}): Promise<string> {
  const { secretToken } = await joining.tokens.addToken({ role: Role.AGENT, ...request });
  return secretToken;
}

async function join(token: string, attempt: Partial<Attempt> = {}): Promise<string> {
  const method = { case: 'token', value: { token } } as const;
  return await joining.join({ method, ...attempt }).then(
    ({ identity, awsInstance }) =>
      awsInstance === undefined ? identity : `${identity} on ${awsInstance.instanceId}`,
    (error: unknown) => ConnectError.from(error).message,
  );
}

const UNKNOWN = '[permission_denied] the token is not known';

describe('AddToken, ListTokens and RemoveToken', () => {
  it('make, show and remove a token; the secret is shown once, and in no event', async () => {
    const { token, secretToken, caPins } = await joining.tokens.addToken({
      role: Role.AGENT,
      name: 'web-1',
      awsInstance: INSTANCE,
      ttl: { seconds: 120n },
      uses: 3,
    });
    expect(secretToken).toMatch(new RegExp(`^tpt_${token?.id ?? ''}_`));
    expect(caPins).toEqual(joining.authority.pins());
    expect(token).toMatchObject({ role: Role.AGENT, name: 'web-1', usesLeft: 3, createdBy: 'operator/ada' });
    expect(token?.expiresAt?.seconds).toBe(BigInt(joining.now / 1_000 + 120));
    const listed = await joining.tokens.listTokens({});
    expect(listed.tokens).toEqual([token]);
    const id = token?.id ?? '';
    expect(await joining.tokens.removeToken({ id })).toMatchObject({ removed: true });
    expect(await joining.tokens.removeToken({ id })).toMatchObject({ removed: false });
    expect(await joining.tokens.removeToken({ id: '../ca/current' })).toMatchObject({ removed: false });
    expect((await joining.tokens.listTokens({})).tokens).toEqual([]);
    const instance = `123456789012/eu-central-1/${INSTANCE.instanceId}`;
    const expiresAt = new Date(joining.now + 2 * MINUTE).toISOString();
    const who = { result: 'ok', actor: 'operator/ada', remoteAddress: '198.51.100.7', subjects: [id] };
    expect(joining.audit.records).toEqual([
      {
        ...who,
        code: 'token.added',
        details: { role: 'agent', uses: '3', expires_at: expiresAt, name: 'web-1', instance },
      },
      { ...who, code: 'token.removed' },
    ]);
    const secret = secretToken.slice(`tpt_${id}_`.length);
    expect(JSON.stringify([listed, joining.audit.records], plain)).not.toContain(secret);
  });

  it('give an hour and one use unless asked otherwise', async () => {
    const { token } = await joining.tokens.addToken({ role: Role.OPERATOR });
    expect(token?.usesLeft).toBe(1);
    expect(token?.expiresAt?.seconds).toBe(BigInt((joining.now + HOUR) / 1_000));
  });

  it.each([
    ['for an auth service', { role: Role.AUTH }],
    ['for less than a minute', { ttl: { seconds: 59n } }],
    ['for more than 30 days', { ttl: { seconds: 2_592_001n } }],
    ['for no time', { ttl: { seconds: -60n } }],
    ['of a discovery bound to an instance', { role: Role.DISCOVERY, awsInstance: INSTANCE }],
    ['bound to no instance', { awsInstance: { ...INSTANCE, instanceId: 'i-1' } }],
    ['of a name that is none', { name: '-a' }],
  ])('refuse one %s', async (_what, request) => {
    expect(await codeOf(add(request as TokenInit))).toBe('InvalidArgument');
    expect(joining.audit.records).toEqual([]);
  });

  it('list by pages, without the expired', async () => {
    for (let n = 0; n < 5; n += 1) await add({ ttl: { seconds: n === 2 ? 60n : 3_600n } });
    joining.now += MINUTE;
    const first = await joining.tokens.listTokens({ pageSize: 3 });
    const { tokens, nextPageToken } = await joining.tokens.listTokens({
      pageSize: 3,
      pageToken: first.nextPageToken,
    });
    const ids = [...first.tokens, ...tokens].map(({ id }) => id);
    expect(ids).toHaveLength(4);
    expect(ids).toEqual(ids.toSorted());
    expect(nextPageToken).toBe('');
  });
});

describe('joining by a token', () => {
  it('gives a new server id, or the one that was asked for', async () => {
    const token = await add({ uses: 2 });
    expect(await join(token)).toMatch(/^spiffe:\/\/test\/agent\/[0-9a-f-]{36}$/);
    expect(await join(token, { name: 'web-1' })).toBe('spiffe://test/agent/web-1');
    expect(joining.audit.of('join.ok')[1]?.details).toMatchObject({
      method: 'token',
      proof: `token ${token.split('_')[1] ?? ''}`,
    });
  });

  it('proves the instance that the token is bound to, and no other', async () => {
    const token = await add({ awsInstance: INSTANCE, name: 'web-1' });
    expect(await join(token)).toBe(`spiffe://test/agent/web-1 on ${INSTANCE.instanceId}`);
    expect(joining.authority.subjects[0]).toMatchObject({
      instance: { account: INSTANCE.accountId, region: INSTANCE.region, instance: INSTANCE.instanceId },
    });
  });

  it('works as often as the token says, and then says so', async () => {
    const token = await add();
    await join(token, { name: 'web-1' });
    expect(await join(token, { name: 'web-2', from: '203.0.113.9' })).toBe(
      '[permission_denied] the token is used up',
    );
    expect(joining.audit.of('join.refused')).toMatchObject([
      {
        remoteAddress: '203.0.113.9',
        reason: 'the token is used up',
        details: { token: token.split('_')[1] },
      },
    ]);
  });

  it('lets one of two in that come at once', async () => {
    const token = await add();
    const ends = await Promise.all(Array.from({ length: 8 }, (_, n) => join(token, { name: `web-${n}` })));
    expect(ends.filter((end) => end.startsWith('spiffe:'))).toHaveLength(1);
    expect(ends.filter((end) => end.endsWith('used up'))).toHaveLength(7);
    const { joins } = await joining.records.listJoins({});
    expect(joins).toHaveLength(1);
  });

  it('says that a token has expired to whoever has its secret', async () => {
    const token = await add({ ttl: { seconds: 60n } });
    joining.now += MINUTE;
    expect(await join(token)).toBe('[permission_denied] the token has expired');
    expect(await join(`${token.slice(0, -2)}${token.endsWith('AA') ? 'BB' : 'AA'}`)).toBe(UNKNOWN);
  });

  it('tells nobody else anything', async () => {
    const token = await add({ name: 'web-1' });
    const [, id = '', ...secret] = token.split('_');
    const other = `tpt_${'a'.repeat(16)}_${secret.join('_')}`;
    expect(await join(`tpt_${id}_${'A'.repeat(43)}`, { name: 'web-2' })).toBe(UNKNOWN);
    expect(await join(other)).toBe(UNKNOWN);
    expect(await join('hunter2')).toBe(UNKNOWN);
    expect(joining.audit.of('join.refused').map(({ details }) => details?.['token'])).toEqual([
      id,
      'a'.repeat(16),
      undefined,
    ]);
    expect(JSON.stringify(joining.audit.records)).not.toMatch(/hunter2|AAAAAAAA/);
  });

  it('is refused for another role and another name, and costs no use', async () => {
    const token = await add({ name: 'web-1' });
    expect(await join(token, { role: Role.OPERATOR, name: 'eve' })).toBe(
      '[permission_denied] the token is for another role: agent',
    );
    expect(await join(token, { name: 'web-2' })).toBe('[permission_denied] the token is for another name');
    expect(await join(token)).toBe('spiffe://test/agent/web-1');
  });

  it('needs a name for a discovery and an operator, from either side', async () => {
    const discovery = await add({ role: Role.DISCOVERY });
    const operator = await add({ role: Role.OPERATOR, name: 'ada' });
    expect(await join(discovery, { role: Role.DISCOVERY })).toBe(
      '[permission_denied] a name is required to join as discovery',
    );
    expect(await join(discovery, { role: Role.DISCOVERY, name: 'd' })).toBe('spiffe://test/discovery/d');
    expect(await join(operator, { role: Role.OPERATOR })).toBe('spiffe://test/operator/ada');
  });
});

/** JSON has no bigint. */
function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

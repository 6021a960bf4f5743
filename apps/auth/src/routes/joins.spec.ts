import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Role } from '@tagplane/protocol';
import type { MethodInit } from '../testing/test-join.ts';
import { codeOf, instanceId } from '../testing/samples.ts';
import { TestJoin } from '../testing/test-join.ts';

const INSTANCE = { accountId: '123456789012', region: 'eu-central-1', instanceId: instanceId(1) };

let joining: TestJoin;
beforeEach(() => {
  joining = new TestJoin();
});
afterEach(() => joining[Symbol.asyncDispose]());

async function join(role: Role, name: string, awsInstance?: typeof INSTANCE): Promise<void> {
  const request = awsInstance === undefined ? { role } : { role, awsInstance };
  const { secretToken } = await joining.tokens.addToken(request);
  const method: MethodInit = { case: 'token', value: { token: secretToken } };
  await joining.join({ role, name, method });
}

describe('ListJoins', () => {
  it('shows who has joined and how, by role and name, in pages', async () => {
    await join(Role.OPERATOR, 'ada');
    await join(Role.AGENT, 'web-2');
    await join(Role.AGENT, 'web-1', INSTANCE);
    await join(Role.DISCOVERY, 'd');
    const key = 'join/name/agent/unreadable';
    const signal = new AbortController().signal;
    await joining.store.put([{ key, value: '{"v":9}', ttlMs: undefined }], { signal });
    const first = await joining.records.listJoins({ pageSize: 3 });
    const rest = await joining.records.listJoins({ pageSize: 3, pageToken: first.nextPageToken });
    const joins = [...first.joins, ...rest.joins];
    expect(joins.map(({ role, name }) => [role, name])).toEqual([
      [Role.AGENT, 'web-1'],
      [Role.AGENT, 'web-2'],
      [Role.DISCOVERY, 'd'],
      [Role.OPERATOR, 'ada'],
    ]);
    expect(joins[0]).toMatchObject({
      method: 'token',
      remoteAddress: '192.0.2.1',
      awsInstance: INSTANCE,
      joinedAt: { seconds: BigInt(joining.now / 1_000) },
    });
    expect(joins[0]?.proof).toMatch(/^token [a-z2-7]{16}$/);
    expect(joins[1]?.awsInstance).toBeUndefined();
    expect(await codeOf(joining.records.listJoins({ pageToken: 'x' }))).toBe('InvalidArgument');
  });
});

describe('ResetJoin', () => {
  it('makes a name free, and is audited', async () => {
    await join(Role.AGENT, 'web-1', INSTANCE);
    await join(Role.DISCOVERY, 'd');
    await join(Role.OPERATOR, 'ada');
    await expect(join(Role.AGENT, 'web-1')).rejects.toThrow('the name is in use');
    for (const subject of [
      { case: 'serverId', value: 'web-1' },
      { case: 'discovery', value: 'd' },
      { case: 'operator', value: 'ada' },
    ] as const) {
      expect(await joining.records.resetJoin({ subject })).toMatchObject({ reset: true });
      expect(await joining.records.resetJoin({ subject })).toMatchObject({ reset: false });
    }
    await join(Role.AGENT, 'web-1');
    expect(joining.audit.of('join.reset')).toEqual(
      ['agent/web-1', 'discovery/d', 'operator/ada'].map((subject) => ({
        code: 'join.reset',
        result: 'ok',
        actor: 'operator/ada',
        remoteAddress: '198.51.100.7',
        subjects: [subject],
      })),
    );
  });

  it('makes an instance free', async () => {
    await join(Role.AGENT, 'web-1', INSTANCE);
    const subject = { case: 'instance', value: INSTANCE } as const;
    expect(await joining.records.resetJoin({ subject })).toMatchObject({ reset: true });
    expect(joining.audit.of('join.reset')).toMatchObject([
      { subjects: [`123456789012/eu-central-1/${INSTANCE.instanceId}`] },
    ]);
    expect((await joining.records.listJoins({})).joins).toEqual([]);
  });

  it.each([
    { case: 'serverId', value: 'a/b' },
    { case: 'operator', value: '../x' },
    { case: 'instance', value: { ...INSTANCE, region: 'x' } },
    undefined,
  ] as const)('refuses %j', async (subject) => {
    const call = joining.records.resetJoin(subject === undefined ? {} : { subject });
    expect(await codeOf(call)).toBe('InvalidArgument');
    expect(joining.audit.records).toEqual([]);
  });
});

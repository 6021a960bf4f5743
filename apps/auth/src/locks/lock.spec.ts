import { parseServerId } from '@tagplane/identity';
import { describe, expect, it } from '@jest/globals';
import { instance } from '../testing/fleet.ts';
import { identityOf } from '../testing/identities.ts';
import { decodeLock, encodeLock, lockId, lockIdsOf, parseLockId } from './lock.ts';
import type { LockTarget } from './lock.ts';

const serverId =
  parseServerId('web-1') ??
  (() => {
    throw new Error('no server id');
  })();
const { account, region, instance: id } = instance(1);

const TARGETS: [string, LockTarget][] = [
  ['agent:web-1', { kind: 'agent', serverId }],
  [`instance:${account}/${region}/${id}`, { kind: 'instance', instance: instance(1) }],
  ['identity:spiffe://test/operator/ada', { kind: 'identity', id: 'spiffe://test/operator/ada' }],
];

describe('the id of a lock', () => {
  it.each(TARGETS)('%s is its target', (text, target) => {
    expect(lockId(target)).toBe(text);
    expect(parseLockId(text)).toEqual(target);
  });

  it.each([
    '',
    'agent',
    'agent:',
    'agent:a b',
    'instance:1/2/3',
    `instance:${account}/${region}/${id}/x`,
    'identity:ada',
    'role:agent',
  ])('is not %j', (text) => {
    expect(parseLockId(text)).toBeUndefined();
  });

  it.each([
    ['an agent', identityOf('agent', 'web-1'), ['agent:web-1', 'identity:spiffe://test/agent/web-1']],
    [
      'a proven instance',
      identityOf('agent', 'web-1', instance(1)),
      ['agent:web-1', 'identity:spiffe://test/agent/web-1', `instance:${account}/${region}/${id}`],
    ],
    [
      'an operator of an agent’s name',
      identityOf('operator', 'web-1'),
      ['identity:spiffe://test/operator/web-1'],
    ],
  ])('of whatever locks %s', (_, identity, ids) => {
    expect([...lockIdsOf(identity)].sort()).toEqual(ids);
  });
});

describe('a stored lock', () => {
  const lock = { message: 'lost "laptop"', createdBy: 'operator/ada', createdAt: 5 };

  it('is read as it was written', () => {
    const entry = { key: 'lock/agent:web-1', value: encodeLock(lock), expiresAt: 7 };
    const target = { kind: 'agent', serverId };
    expect(decodeLock(entry)).toEqual({ ...lock, id: 'agent:web-1', target, expiresAt: 7 });
  });

  it.each(['', '[2,"x"]', '{}', 'null'])('locks also when %j is all that is written of it', (value) => {
    const entry = { key: 'lock/agent:web-1', value, expiresAt: undefined };
    expect(decodeLock(entry)).toMatchObject({ id: 'agent:web-1', message: '' });
  });

  it('is none under another key', () => {
    expect(decodeLock({ key: 'token/agent:web-1', value: encodeLock(lock), expiresAt: 7 })).toBeUndefined();
    expect(decodeLock({ key: 'lock/nothing', value: encodeLock(lock), expiresAt: 7 })).toBeUndefined();
  });
});

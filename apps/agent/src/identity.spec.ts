import { describe, expect, it } from '@jest/globals';
import { parseInstanceKey, parseServerId } from '@tagplane/identity';
import type { InstanceKey, ServerId } from '@tagplane/identity';
import { settleIdentity } from './identity.ts';
import type { IdentityFacts, IdentityRecord } from './identity.ts';

function id(text: string): ServerId {
  const parsed = parseServerId(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}

function instance(last: string): InstanceKey {
  const key = parseInstanceKey({
    account: '123456789012',
    region: 'eu-central-1',
    instance: `i-0123456${last}`,
  });
  if (key === undefined) throw new Error(last);
  return key;
}

const ONE = instance('1');
const TWO = instance('2');

function record(changes: Partial<IdentityRecord> = {}): IdentityRecord {
  return { serverId: id('own'), generated: true, instance: ONE, boot: 'boot-1', ...changes };
}

function facts(changes: Partial<IdentityFacts> = {}): IdentityFacts {
  return { configuredId: undefined, instance: ONE, boot: 'boot-2', newServerId: () => id('new'), ...changes };
}

describe('settleIdentity', () => {
  it.each<
    [
      string,
      IdentityRecord | undefined,
      IdentityFacts,
      Partial<IdentityRecord>,
      InstanceKey | undefined,
      boolean,
    ]
  >([
    [
      'a first start',
      undefined,
      facts(),
      { serverId: id('new'), generated: true, instance: ONE },
      ONE,
      false,
    ],
    [
      'a first start with a configured id',
      undefined,
      facts({ configuredId: id('web') }),
      { serverId: id('web'), generated: false },
      ONE,
      false,
    ],
    ['the same machine', record(), facts(), { serverId: id('own'), boot: 'boot-2' }, ONE, false],
    [
      'an image started elsewhere',
      record(),
      facts({ instance: TWO }),
      { serverId: id('new'), instance: TWO },
      TWO,
      true,
    ],
    [
      'an image started elsewhere, with a configured id',
      record({ serverId: id('web'), generated: false }),
      facts({ instance: TWO, configuredId: id('web') }),
      { serverId: id('web'), instance: TWO },
      TWO,
      true,
    ],
    [
      'another configured id',
      record(),
      facts({ configuredId: id('web') }),
      { serverId: id('web') },
      ONE,
      true,
    ],
    [
      'an id that is configured no more',
      record({ serverId: id('web'), generated: false }),
      facts(),
      { serverId: id('new'), generated: true },
      ONE,
      true,
    ],
    [
      'an instance that does not say, in the same boot',
      record(),
      facts({ instance: undefined, boot: 'boot-1' }),
      { serverId: id('own'), instance: ONE, boot: 'boot-1' },
      ONE,
      false,
    ],
    [
      'an instance that does not say, after another boot',
      record(),
      facts({ instance: undefined }),
      { serverId: id('own'), instance: ONE, boot: 'boot-1' },
      undefined,
      false,
    ],
    [
      'an instance that says for the first time',
      record({ instance: undefined }),
      facts(),
      { serverId: id('own'), instance: ONE },
      ONE,
      false,
    ],
  ])('%s', (_, before, now, kept, spokenFor, discards) => {
    const settled = settleIdentity(before, now);
    expect(settled.record).toMatchObject(kept);
    expect(settled.instance).toEqual(spokenFor);
    expect(settled.discard !== undefined).toBe(discards);
  });

  it('settles once: the same facts again change nothing', () => {
    for (const instanceNow of [ONE, TWO, undefined]) {
      const first = settleIdentity(record(), facts({ instance: instanceNow }));
      const second = settleIdentity(first.record, facts({ instance: instanceNow }));
      expect(second).toEqual({ ...first, discard: undefined });
    }
  });
});

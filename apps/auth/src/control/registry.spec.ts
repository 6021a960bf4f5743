import { describe, expect, it } from '@jest/globals';
import { SessionRegistry } from './registry.ts';

interface Session {
  readonly serverId: string;
  instanceKey: string | undefined;
}

function session(serverId: string, instanceKey: string): Session {
  return { serverId, instanceKey };
}

describe('SessionRegistry', () => {
  it('finds every session whose node is an instance', () => {
    const registry = new SessionRegistry<Session>();
    const [a, b, c] = [session('a', 'i1'), session('b', 'i1'), session('c', 'i1')];
    for (const each of [a, b, c]) registry.register(each);
    expect(registry.withInstance('i1')).toEqual([a, b, c]);
    registry.remove(b);
    expect(registry.withInstance('i1')).toEqual([a, c]);
    registry.remove(a);
    registry.remove(c);
    expect([registry.withInstance('i1'), registry.size]).toEqual([[], 0]);
  });

  it('moves a session to the instance that its node says it is now', () => {
    const registry = new SessionRegistry<Session>();
    const a = session('a', 'i1');
    registry.register(a);
    a.instanceKey = 'i2';
    registry.rekey(a, 'i1');
    expect([registry.withInstance('i1'), registry.withInstance('i2')]).toEqual([[], [a]]);
    a.instanceKey = undefined;
    registry.rekey(a, 'i2');
    expect(registry.withInstance('i2')).toEqual([]);
    expect(registry.get('a')).toBe(a);
  });

  it('lets a newer session take the place of an older one, which then changes nothing', () => {
    const registry = new SessionRegistry<Session>();
    const [older, newer] = [session('a', 'i1'), session('a', 'i1')];
    for (const each of [older, newer]) registry.add(each);
    expect(registry.register(older)).toBeUndefined();
    expect(registry.register(newer)).toBe(older);
    expect(registry.withInstance('i1')).toEqual([newer]);
    older.instanceKey = 'i9';
    registry.rekey(older, 'i1');
    registry.remove(older);
    expect([registry.withInstance('i1'), registry.withInstance('i9')]).toEqual([[newer], []]);
    expect([registry.get('a'), [...registry.open], [...registry.registered()]]).toEqual([
      newer,
      [newer],
      [newer],
    ]);
  });
});

import { beforeEach, describe, expect, it } from '@jest/globals';
import type { FoundInstance } from '@tagplane/serverinfo';
import { ScopeTable } from './estate/scope.ts';
import { Inventory } from './inventory.ts';
import { fakeScope } from './testing/scopes.ts';

const nameOf = (letter: string): string => `aws-123456789012-eu-central-1-i-0000000${letter}`;

function found(letter: string, observedAt: number, change: Partial<FoundInstance> = {}): FoundInstance {
  return {
    name: nameOf(letter),
    state: 'running',
    platform: 'linux',
    revision: '',
    packedLabels: '[]',
    observedAt,
    rejected: [],
    ...change,
  };
}

const scan = (...instances: FoundInstance[]) =>
  new Map(instances.map((instance) => [instance.name, instance]));

let scopes: ScopeTable;
let inventory: Inventory;
beforeEach(() => {
  scopes = new ScopeTable([fakeScope({ id: 'a' }), fakeScope({ id: 'b', block: 1 })]);
  inventory = new Inventory(scopes);
});
const observedAt = (letter: string): number | undefined => inventory.find(nameOf(letter))?.observedAt;

describe('the inventory', () => {
  it('tells which instances no scope has any more', () => {
    expect(inventory.replace('a', scan(found('c', 1), found('d', 1), found('e', 1)), 1)).toEqual([]);
    inventory.replace('b', scan(found('d', 2)), 2);
    expect(inventory.replace('a', scan(found('c', 3)), 3)).toEqual([nameOf('e')]);
    expect([...inventory.of('a').keys()]).toEqual([nameOf('c')]);
    expect(inventory.remove('b')).toEqual([nameOf('d')]);
    expect([inventory.has('a'), inventory.has('b')]).toEqual([true, false]);
  });

  it('gives the latest word on an instance that two blocks make the same of, once', () => {
    inventory.replace('a', scan(found('c', 5), found('d', 5)), 5);
    inventory.replace('b', scan(found('c', 4), found('d', 6)), 4);
    expect([observedAt('c'), observedAt('d'), observedAt('e')]).toEqual([5, 6, undefined]);
    expect([...inventory.all()].map(({ name }) => name).toSorted()).toEqual([nameOf('c'), nameOf('d')]);
    expect([...inventory.instances()].map(({ scope }) => scope.id)).toEqual(['a', 'a']);
    expect(inventory.of('c').size).toBe(0);
  });

  it('goes by the first block where they differ, whichever looked last', () => {
    const carry = () => ({ labels: new Map(), rejected: [] });
    scopes.replace([fakeScope({ id: 'b', block: 1 }), fakeScope({ id: 'a', carry })]);
    inventory.replace('b', scan(found('c', 9), found('d', 9)), 9);
    inventory.replace('a', scan(found('c', 5)), 5);
    expect([observedAt('c'), observedAt('d')]).toEqual([5, 9]);
    expect([...inventory.instances()].map(({ key, scope }) => [key.instance, scope.id]).toSorted()).toEqual([
      ['i-0000000c', 'a'],
      ['i-0000000d', 'b'],
    ]);
  });

  it('takes it from any of them that an instance is terminated', () => {
    inventory.replace('b', scan(found('c', 5, { state: 'terminated' })), 5);
    inventory.replace('a', scan(found('c', 6)), 6);
    expect(inventory.find(nameOf('c'))?.state).toBe('terminated');
  });

  it('asks no scope of another place', () => {
    scopes.replace([
      fakeScope({ id: 'here', account: '123456789012' }),
      fakeScope({ id: 'elsewhere', account: '210987654321' }),
    ]);
    inventory.replace('elsewhere', scan(found('c', 1)), 1);
    expect(inventory.find(nameOf('c'))).toBeUndefined();
    inventory.replace('here', scan(found('c', 2)), 2);
    expect(observedAt('c')).toBe(2);
    scopes.replace([]);
    expect(inventory.find(nameOf('c'))).toBeUndefined();
  });
});

describe('a targeted look', () => {
  const look = (letter: string, askedAt: number, there = true): boolean =>
    inventory.look('a', nameOf(letter), { askedAt, found: there ? found(letter, askedAt) : undefined });

  it('counts before the first scan, and after it if it asked later', () => {
    expect(look('c', 10)).toBe(true);
    expect([observedAt('c'), inventory.has('a')]).toEqual([10, false]);
    inventory.replace('a', scan(found('c', 12)), 5);
    expect(observedAt('c')).toBe(12);
  });

  it('wins over a scan that asked before, also when that ends after it', () => {
    inventory.replace('a', scan(found('c', 1), found('d', 1), found('f', 1)), 1);
    // The scan under way began at 5 and got to these at 6.
    expect(look('c', 7)).toBe(true);
    expect(look('d', 7, false)).toBe(true);
    expect(look('e', 7)).toBe(true);
    expect(inventory.replace('a', scan(found('c', 6), found('d', 6), found('f', 6)), 5)).toEqual([]);
    expect(['c', 'd', 'e', 'f'].map(observedAt)).toEqual([7, undefined, 7, 6]);
    // The next one asks later than all of them.
    inventory.replace('a', scan(found('d', 9)), 9);
    expect(['c', 'd', 'e', 'f'].map(observedAt)).toEqual([undefined, 9, undefined, undefined]);
  });

  it('that asked before what is known says nothing', () => {
    inventory.replace('a', scan(found('c', 10)), 10);
    expect([look('c', 9), look('c', 9, false), look('d', 9), look('e', 9, false)]).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect([observedAt('c'), observedAt('d')]).toEqual([10, undefined]);
    expect(look('c', 12)).toBe(true);
    expect(look('c', 11, false)).toBe(false);
    expect(observedAt('c')).toBe(12);
  });
});

import { describe, expect, it } from '@jest/globals';
import type { FoundInstance } from '@tagplane/serverinfo';
import { Inventory } from './inventory.ts';

function found(name: string, observedAt: number): FoundInstance {
  return {
    name,
    state: 'running',
    platform: 'linux',
    revision: '',
    packedLabels: '[]',
    observedAt,
    rejected: [],
  };
}

const scan = (...instances: FoundInstance[]) =>
  new Map(instances.map((instance) => [instance.name, instance]));

describe('the inventory', () => {
  it('tells which instances no scope has any more', () => {
    const inventory = new Inventory();
    expect(inventory.replace('a', scan(found('x', 1), found('y', 1), found('z', 1)))).toEqual([]);
    inventory.replace('b', scan(found('y', 2)));
    expect(inventory.replace('a', scan(found('x', 3)))).toEqual(['z']);
    expect([...inventory.of('a').keys()]).toEqual(['x']);
  });

  it('gives the latest word on an instance that two scopes have, once', () => {
    const inventory = new Inventory();
    inventory.replace('a', scan(found('x', 5), found('y', 5)));
    inventory.replace('b', scan(found('x', 4), found('y', 6)));
    expect(inventory.find('x')?.observedAt).toBe(5);
    expect(inventory.find('y')?.observedAt).toBe(6);
    expect([...inventory.all()].map(({ name, observedAt }) => [name, observedAt])).toEqual([
      ['x', 5],
      ['y', 6],
    ]);
    expect(inventory.find('z')).toBeUndefined();
    expect(inventory.of('c').size).toBe(0);
  });
});

import { describe, expect, it } from '@jest/globals';
import { DEFAULTS } from '../simulator.ts';
import { Fleet } from './fleet.ts';
import type { FleetOptions } from './fleet.ts';

const ACCOUNT = DEFAULTS.account;

function fleetOf(options: Partial<FleetOptions>): Fleet {
  return new Fleet({ ...DEFAULTS, now: () => 0, ...options });
}

function contents(fleet: Fleet): [string, string, [string, string][]][] {
  return fleet.options.regions.flatMap((region) =>
    [...fleet.after(ACCOUNT, region, 0)].map(
      ({ id, reservationId, tags }): [string, string, [string, string][]] => [id, reservationId, [...tags]],
    ),
  );
}

describe('Fleet', () => {
  it('is the same for the same seed, and another for another', () => {
    const one = contents(fleetOf({ instances: 300, seed: 7 }));
    expect(contents(fleetOf({ instances: 300, seed: 7 }))).toEqual(one);
    expect(contents(fleetOf({ instances: 300, seed: 8 }))).not.toEqual(one);
  });

  it('gives every instance an id of its own, over regions, and tags that EC2 could have', () => {
    const all = contents(fleetOf({ instances: 20_000, regions: ['eu-central-1', 'us-east-1', 'us-west-2'] }));
    expect(new Set(all.map(([id]) => id)).size).toBe(20_000);
    expect(all.every(([id]) => /^i-[0-9a-f]{17}$/.test(id))).toBe(true);
    expect(
      all.every(([, , tags]) => tags.length === 14 && new Set(tags.map(([key]) => key)).size === 14),
    ).toBe(true);
  });

  it('starts no more than it can hold', () => {
    const fleet = fleetOf({ instances: 10 });
    const request = { account: ACCOUNT, region: 'eu-central-1', tags: new Map<string, string>() };
    expect(() => fleet.run({ ...request, count: 250_000 })).toThrow(
      expect.objectContaining({ code: 'InstanceLimitExceeded' }),
    );
    expect(fleet.size).toBe(10);
  });

  it('lets go of what is gone', () => {
    let clock = 0;
    const fleet = fleetOf({ instances: 100, regions: ['eu-central-1'], now: () => clock });
    const all = [...fleet.after(ACCOUNT, 'eu-central-1', 0)];
    for (const instance of all.slice(0, 60)) fleet.transition(instance, 'shutting-down', 'terminated');
    clock = DEFAULTS.transitionMs + DEFAULTS.lingerMs - 1;
    expect([...fleet.after(ACCOUNT, 'eu-central-1', 0)]).toHaveLength(100);
    clock += 1;
    expect([...fleet.after(ACCOUNT, 'eu-central-1', 0)]).toEqual(all.slice(60));
    expect(fleet.size).toBe(40);
    expect(fleet.get(ACCOUNT, 'eu-central-1', all[0]?.id ?? '')).toBeUndefined();
  });
});

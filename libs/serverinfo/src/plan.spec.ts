import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { FoundInstance } from './found-instance.ts';
import { KnownServerInfos } from './known.ts';
import type { Known } from './known.ts';
import { MAX_OBSERVATION_AGE_MS } from './pacing.ts';
import { isTimeUp, planInstance, planUpserts } from './plan.ts';

const MINUTE = 60_000;
const NOW = 1_000 * MINUTE;

function found(name: string, change: Partial<FoundInstance> = {}): FoundInstance {
  const rejected: FoundInstance['rejected'] = [];
  return {
    name,
    state: 'running',
    platform: 'linux',
    revision: 'r1',
    packedLabels: '[]',
    observedAt: NOW,
    rejected,
    ...change,
  };
}

const accepted = (revision: string, remaining: number): Known => ({
  state: 'accepted',
  revision,
  expiresAt: NOW + remaining,
  held: '[]',
});
const refused = (revision: string, retryIn: number): Known => ({
  state: 'refused',
  revision,
  retryAt: NOW + retryIn,
  expiresAt: NOW,
  held: undefined,
});

describe('what is due for an instance', () => {
  it.each<[string, Known | undefined, Partial<FoundInstance>, string | undefined]>([
    ['unknown', undefined, {}, 'new'],
    ['known and unchanged', accepted('r1', 31 * MINUTE), {}, undefined],
    ['changed', accepted('r0', 80 * MINUTE), {}, 'changed'],
    ['changed, near its expiry', accepted('r0', MINUTE), {}, 'changed'],
    ['without labels any more', accepted('r1', 80 * MINUTE), { revision: '' }, 'changed'],
    ['30 min from its expiry', accepted('r1', 30 * MINUTE), {}, 'renewal'],
    ['1 ms more than 30 min from it', accepted('r1', 30 * MINUTE + 1), {}, undefined],
    ['run out', accepted('r1', 0), {}, 'new'],
    [
      'on its way, answer unknown',
      { state: 'unsure', expiresAt: NOW + 80 * MINUTE, held: undefined },
      {},
      'changed',
    ],
    ['refused', refused('r1', 1), {}, undefined],
    ['refused an hour ago', refused('r1', 0), {}, 'renewal'],
    ['refused with other labels', refused('r0', MINUTE), {}, 'changed'],
    ['terminated and unknown', undefined, { state: 'terminated' }, undefined],
    ['terminated', accepted('r1', 80 * MINUTE), { state: 'terminated' }, 'delete'],
    [
      'terminated while on its way',
      { state: 'unsure', expiresAt: NOW, held: undefined },
      { state: 'terminated' },
      'delete',
    ],
    ['terminated after a refusal', refused('r1', 1), { state: 'terminated' }, 'delete'],
    ['not seen for long', undefined, { observedAt: NOW - MAX_OBSERVATION_AGE_MS - 1 }, undefined],
    ['seen just in time', undefined, { observedAt: NOW - MAX_OBSERVATION_AGE_MS }, 'new'],
  ])('that is %s', (_, known, change, due) => {
    const work = planInstance(known, found('a', change), NOW);
    expect(work?.action === 'upsert' ? work.reason : work?.action).toBe(due);
  });
});

describe('a plan', () => {
  it('decides on found instances only, and passes on what was rejected', () => {
    const known = new Map([
      ['changed', accepted('r0', 80 * MINUTE)],
      ['same', accepted('r1', 80 * MINUTE)],
      ['absent', accepted('r1', 80 * MINUTE)],
      ['gone', accepted('r1', 80 * MINUTE)],
    ]);
    const plan = planUpserts(
      known,
      [found('new'), found('changed'), found('same'), found('gone', { state: 'terminated' })],
      NOW,
    );
    expect(plan.due.map((work) => [work.action, work.name])).toEqual([
      ['upsert', 'new'],
      ['upsert', 'changed'],
      ['delete', 'gone'],
    ]);
    expect(plan.settled).toEqual(['same']);
  });

  it('has nothing left to do once its work is accepted', () => {
    const instances = fc.uniqueArray(
      fc.record({
        name: fc.stringMatching(/^[a-e]$/),
        revision: fc.constantFrom('', 'r1'),
        state: fc.constantFrom('running' as const, 'terminated' as const),
      }),
      { selector: (instance) => instance.name },
    );
    const before = fc.dictionary(fc.stringMatching(/^[a-e]$/), fc.constantFrom('', 'r1', 'r2'));
    fc.assert(
      fc.property(instances, before, (scan, stored) => {
        const known = new KnownServerInfos();
        for (const [name, revision] of Object.entries(stored)) {
          known.recordAccepted({ name, revision, packedLabels: '[]', expiresAt: NOW + 80 * MINUTE });
        }
        const seen = scan.map(({ name, ...change }) => found(name, change));
        for (const work of planUpserts(known, seen, NOW).due) {
          if (work.action === 'delete') known.forget(work.name);
          else
            known.recordAccepted({
              name: work.name,
              revision: work.found.revision,
              packedLabels: work.found.packedLabels,
              expiresAt: NOW + 80 * MINUTE,
            });
        }
        expect(planUpserts(known, seen, NOW).due).toEqual([]);
      }),
    );
  });
});

describe('time alone', () => {
  it.each<[Known, boolean]>([
    [accepted('r1', 30 * MINUTE + 1), false],
    [accepted('r1', 30 * MINUTE), true],
    [refused('r1', 1), false],
    [refused('r1', 0), true],
    [{ state: 'unsure', expiresAt: 0, held: undefined }, false],
  ])('makes %j due: %s', (known, due) => {
    expect(isTimeUp(known, NOW)).toBe(due);
  });
});

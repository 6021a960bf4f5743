import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { DiscoveredInstance } from '@tagplane/ec2';
import { fakeInstance } from '@tagplane/ec2/testing';
import { SECOND } from '@tagplane/runtime';
import type { Expectation, InstanceChange } from './change.ts';
import { Coalescer, MAX_DESCRIBED } from './coalescer.ts';
import type { Look } from './coalescer.ts';

const NOW = 1_800_000_000_000;
const SETTLE = SECOND;

const tagged = (value: string): Expectation => ({ kind: 'tags', tags: new Map([['a', value]]) });

function change(number: number, expectation = tagged('1'), at = NOW, region?: string): InstanceChange {
  return { key: fakeInstance(number, region ? { region } : {}).key, at, version: undefined, expectation };
}

const instance = (number: number, value: string): DiscoveredInstance =>
  fakeInstance(number, { tags: [['a', value]] });

function create(maxInstances?: number): Coalescer<string> {
  return new Coalescer({ settleMs: SETTLE, ...(maxInstances === undefined ? {} : { maxInstances }) });
}

function takeAt(coalescer: Coalescer<string>, now: number): Look {
  const look = coalescer.take(now);
  if (look === undefined) throw new Error('nothing was due');
  return look;
}

describe('changes', () => {
  it('of one instance are one look at it, a settle delay after the first', () => {
    const coalescer = create();
    expect(coalescer.add(change(1), 'm1', NOW)).toBe('taken');
    expect(coalescer.add(change(1, tagged('2'), NOW + 500), 'm2', NOW + 500)).toBe('taken');
    expect(coalescer.nextAt(NOW)).toBe(NOW + SETTLE);
    expect(coalescer.take(NOW + SETTLE - 1)).toBeUndefined();
    const look = takeAt(coalescer, NOW + SETTLE);
    expect(look.keys).toEqual([change(1).key]);
    const looked = coalescer.looked(look, [instance(1, '2')], NOW + SETTLE, NOW + SETTLE + 50);
    expect(looked).toMatchObject({ instances: [instance(1, '2')], missing: [], stale: 0, givenUp: 0 });
    expect(looked.tickets).toEqual(['m1', 'm2']);
    expect([...looked.eventTimes.values()]).toEqual([NOW]);
    expect([coalescer.size, coalescer.nextAt(NOW)]).toEqual([0, undefined]);
  });

  it('are grouped by place, up to 100 a call, one call a place at a time', () => {
    const coalescer = create();
    for (let number = 0; number < MAX_DESCRIBED + 20; number += 1) coalescer.add(change(number), '', NOW);
    coalescer.add(change(7, tagged('1'), NOW, 'us-east-1'), '', NOW);
    const first = takeAt(coalescer, NOW + SETTLE);
    const second = takeAt(coalescer, NOW + SETTLE);
    expect([first.keys.length, second.keys.length]).toEqual([MAX_DESCRIBED, 1]);
    expect(second.place).toBe('123456789012/us-east-1');
    expect(coalescer.take(NOW + SETTLE)).toBeUndefined();
    expect(coalescer.nextAt(NOW + SETTLE)).toBeUndefined();
    coalescer.failed(second, NOW + SETTLE);
    coalescer.looked(first, [], NOW, NOW + SETTLE);
    expect(coalescer.nextAt(NOW + SETTLE)).toBe(NOW + SETTLE);
    expect(takeAt(coalescer, NOW + SETTLE).keys).toHaveLength(20);
  });

  it('that nobody can hold are left to the next scan', () => {
    const coalescer = create(2);
    expect([1, 2, 3].map((number) => coalescer.add(change(number), '', NOW))).toEqual([
      'taken',
      'taken',
      'full',
    ]);
    expect(coalescer.add(change(2, tagged('5')), '', NOW)).toBe('taken');
    coalescer.doubt(change(4).key, NOW);
    expect(coalescer.size).toBe(2);
  });

  it('that are known need no look', () => {
    const coalescer = create();
    coalescer.add(change(1), 'm1', NOW);
    coalescer.looked(takeAt(coalescer, NOW + SETTLE), [instance(1, '1')], NOW + SETTLE, NOW + SETTLE);
    expect(coalescer.add(change(1), 'm2', NOW + 3 * SECOND)).toBe('known');
    expect(coalescer.add(change(1, { kind: 'any' }), 'm3', NOW + 3 * SECOND, true)).toBe('known');
    expect(coalescer.size).toBe(0);
  });

  it('that come twice are done with together', () => {
    const coalescer = create();
    coalescer.add(change(1), 'm1', NOW);
    expect(coalescer.add(change(1), 'm1 again', NOW, true)).toBe('taken');
    expect([...coalescer.unsettled()]).toEqual(['m1', 'm1 again']);
    const looked = coalescer.looked(takeAt(coalescer, NOW + SETTLE), [instance(1, '1')], NOW, NOW + SETTLE);
    expect(looked.tickets).toEqual(['m1', 'm1 again']);
  });
});

describe('a describe that is older than the event', () => {
  it('is asked again after 1, 2, 4 … seconds, and in the end believed', () => {
    const coalescer = create();
    coalescer.add(change(1), 'm1', NOW);
    const pauses: number[] = [];
    for (let now = NOW + SETTLE; ;) {
      const looked = coalescer.looked(takeAt(coalescer, now), [instance(1, '0')], now, now);
      expect(looked.stale).toBe(1);
      const next = coalescer.nextAt(now);
      if (next === undefined) {
        expect(looked).toMatchObject({ instances: [instance(1, '0')], givenUp: 1, tickets: ['m1'] });
        break;
      }
      expect(looked.instances).toEqual([]);
      expect(coalescer.take(next - 1)).toBeUndefined();
      pauses.push((next - now) / SECOND);
      now = next;
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32]);
    expect(coalescer.expectations.size).toBe(0);
  });

  it('does not let news wait for its turn', () => {
    const coalescer = create();
    coalescer.add(change(1), 'm1', NOW);
    let now = NOW + SETTLE;
    for (let times = 0; times < 5; times += 1) {
      coalescer.looked(takeAt(coalescer, now), [instance(1, '0')], now, now);
      now = coalescer.nextAt(now) ?? NaN;
    }
    now -= 10 * SECOND;
    coalescer.add(change(1, tagged('2'), now), 'm2', now);
    expect(coalescer.nextAt(now)).toBe(now + SETTLE);
    const look = takeAt(coalescer, now + SETTLE);
    const looked = coalescer.looked(look, [instance(1, '2')], now + SETTLE, now + SETTLE);
    expect(looked.tickets).toEqual(['m1', 'm2']);
    expect(coalescer.take(NOW + 200 * SECOND)).toBeUndefined();
  });

  it('is one that does not know a new instance either', () => {
    const coalescer = create();
    coalescer.add(change(1, { kind: 'any' }), 'm1', NOW);
    const now = NOW + SETTLE;
    expect(coalescer.looked(takeAt(coalescer, now), [], now, now)).toMatchObject({ missing: [], stale: 1 });
    const later = takeAt(coalescer, now + SECOND);
    expect(coalescer.looked(later, [instance(1, '0')], now + SECOND, now + SECOND).instances).toHaveLength(1);
  });

  it('may be one from before a change that came meanwhile', () => {
    const coalescer = create();
    coalescer.add(change(1), 'm1', NOW);
    const look = takeAt(coalescer, NOW + SETTLE);
    coalescer.add(change(1, { kind: 'any' }, NOW + SETTLE), 'm2', NOW + SETTLE);
    expect(coalescer.looked(look, [instance(1, '1')], NOW + SETTLE, NOW + SETTLE).tickets).toEqual([]);
    const again = takeAt(coalescer, NOW + SETTLE + SECOND);
    const looked = coalescer.looked(again, [instance(1, '1')], NOW + SETTLE + SECOND, NOW + SETTLE + SECOND);
    expect(looked.tickets).toEqual(['m1', 'm2']);
  });
});

describe('a look that fails', () => {
  it('is repeated, and left to the scans in the end', () => {
    const coalescer = create();
    coalescer.add(change(1), 'm1', NOW);
    const seen: string[][] = [];
    for (let now: number | undefined = NOW + SETTLE; now !== undefined; now = coalescer.nextAt(now)) {
      seen.push([...coalescer.failed(takeAt(coalescer, now), now).tickets]);
    }
    expect(seen).toEqual([[], [], [], [], [], [], ['m1']]);
    expect([coalescer.size, coalescer.expectations.size]).toEqual([0, 0]);
  });
});

describe('a doubtful scan', () => {
  it('is followed by one look', () => {
    const coalescer = create();
    coalescer.doubt(change(1).key, NOW);
    coalescer.doubt(change(1).key, NOW);
    const looked = coalescer.looked(takeAt(coalescer, NOW + SETTLE), [instance(1, '9')], NOW, NOW + SETTLE);
    expect(looked).toMatchObject({ instances: [instance(1, '9')], tickets: [] });
    expect(looked.eventTimes.size).toBe(0);
    expect(coalescer.take(NOW + 100 * SECOND)).toBeUndefined();
  });
});

describe('whatever happens', () => {
  it('each ticket comes back once, and nothing waits for ever', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('add' as const), number: fc.nat(5), value: fc.constantFrom('1', '2') }),
      fc.record({ do: fc.constant('look' as const), value: fc.constantFrom('1', '2', undefined) }),
      fc.record({ do: fc.constant('fail' as const) }),
      fc.record({ do: fc.constant('wait' as const), ms: fc.nat(5 * SECOND) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const coalescer = create(4);
        const [given, back]: [string[], string[]] = [[], []];
        let now = NOW;
        const answer = (value: string | undefined, fail: boolean): void => {
          const look = coalescer.take(now);
          if (look === undefined) return;
          const described =
            value === undefined ? [] : look.keys.map((key) => ({ ...instance(0, value), key }));
          const { tickets } = fail
            ? coalescer.failed(look, now)
            : coalescer.looked(look, described, now, now);
          back.push(...tickets);
        };
        for (const [index, next] of steps.entries()) {
          if (next.do === 'wait') now += next.ms;
          else if (next.do !== 'add') answer(next.do === 'look' ? next.value : undefined, next.do === 'fail');
          else if (coalescer.add(change(next.number, tagged(next.value), now), `${index}`, now) === 'taken') {
            given.push(`${index}`);
          }
        }
        for (let turns = 0; turns < 100 && coalescer.size > 0; turns += 1) {
          now = coalescer.nextAt(now) ?? now;
          answer('1', false);
        }
        expect(coalescer.size).toBe(0);
        expect(back.toSorted()).toEqual(given.toSorted());
      }),
    );
  });
});

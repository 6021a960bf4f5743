import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DEFAULT_THRESHOLDS } from './config.ts';
import { decodeHold, encodeHold } from './hold.ts';
import type { Hold } from './hold.ts';
import { EMPTY_WINDOW, decodeWindow, encodeWindow, isLarge, judge, withHold } from './window.ts';
import type { ScopeWindow, Weighed } from './window.ts';

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;

const change = (parts: Partial<Weighed> = {}): Weighed => ({
  scope: 'aws/123456789012/eu-central-1',
  fingerprint: 'f',
  nodesChanged: 30,
  nodesTotal: 100,
  samples: ['a'],
  requestedBy: 'discovery/main',
  description: 'some change',
  follows: true,
  ...parts,
});
const hold = (parts: Partial<Hold> = {}): Hold => {
  const { follows: _, ...asked } = change();
  return {
    ...asked,
    id: '1',
    nodesChangedBefore: 0,
    state: 'held',
    heldAt: NOW - MINUTE,
    decidedBy: '',
    decidedAt: undefined,
    ...parts,
  };
};
const decided = (state: 'released' | 'dropped', minutesAgo: number, fingerprint = 'f'): Hold =>
  hold({ state, fingerprint, decidedBy: 'operator/ada', decidedAt: NOW - minutesAgo * MINUTE });
const before = (minutesAgo: number, nodes: number, fingerprint = 'earlier'): ScopeWindow => ({
  changes: [{ at: NOW - minutesAgo * MINUTE, fingerprint, nodes }],
  holds: [],
});

describe('the thresholds', () => {
  it.each([
    [19, 19, false],
    [20, 20, true],
    [20, 66, true],
    [20, 67, false],
    [2_999, 10_000, false],
    [3_000, 10_000, true],
  ])('%i of %i nodes: large is %s', (changed, total, large) => {
    expect(isLarge(changed, total, DEFAULT_THRESHOLDS)).toBe(large);
  });
});

describe('a change', () => {
  it.each<[string, Partial<Weighed>, ScopeWindow, Hold[], string]>([
    ['that is small goes', { nodesChanged: 19 }, EMPTY_WINDOW, [], 'go'],
    ['that is large is held', {}, EMPTY_WINDOW, [], 'hold'],
    ['that is small is held after others', { nodesChanged: 5 }, before(14, 25), [], 'hold'],
    ['that is small goes long after others', { nodesChanged: 5 }, before(15, 25), [], 'go'],
    ['that went before goes again', {}, before(1, 30, 'f'), [], 'go'],
    ['that is held is held still', {}, EMPTY_WINDOW, [hold()], 'again'],
    ['that was released goes, also much later', {}, EMPTY_WINDOW, [decided('released', 600)], 'go'],
    ['that drifted from a released one goes', {}, EMPTY_WINDOW, [decided('released', 14, 'g')], 'go'],
    ['that drifted goes no longer than the window', {}, EMPTY_WINDOW, [decided('released', 15, 'g')], 'hold'],
    ['that was dropped is dropped', {}, EMPTY_WINDOW, [decided('dropped', 600)], 'dropped'],
    [
      'that differs from a dropped one is weighed anew',
      {},
      EMPTY_WINDOW,
      [decided('dropped', 1, 'g')],
      'hold',
    ],
    [
      'that its author ended, and that comes again, is held again',
      {},
      EMPTY_WINDOW,
      [{ ...decided('dropped', 1), decidedBy: 'discovery/main' }],
      'hold',
    ],
    ['that drifted while it is held is the same hold', { fingerprint: 'g' }, EMPTY_WINDOW, [hold()], 'again'],
    [
      'of a person is a hold of its own',
      { fingerprint: 'g', follows: false },
      EMPTY_WINDOW,
      [hold()],
      'hold',
    ],
    ['of a person, held, is held still', { follows: false }, EMPTY_WINDOW, [hold()], 'again'],
    [
      'of a person, asked again after a drop, is held anew',
      { follows: false },
      EMPTY_WINDOW,
      [decided('dropped', 1)],
      'hold',
    ],
    [
      'of a person gets nothing from a release',
      { follows: false },
      EMPTY_WINDOW,
      [decided('released', 1, 'g')],
      'hold',
    ],
  ])('%s', (_, parts, window, holds, verdict) => {
    expect(judge(change(parts), { window, holds }, DEFAULT_THRESHOLDS, NOW).verdict).toBe(verdict);
  });

  it('goes whatever it is while the guard is off', () => {
    const off = { ...DEFAULT_THRESHOLDS, enabled: false };
    expect(judge(change(), { window: EMPTY_WINDOW, holds: [] }, off, NOW)).toMatchObject({ verdict: 'go' });
  });

  it.each([
    ['became small', { nodesChanged: 3, fingerprint: 'g' }],
    ['is not asked for any more', { nodesChanged: 0, fingerprint: 'none' }],
  ])('that %s ends the hold that it had', (_, parts) => {
    const judged = judge(change(parts), { window: EMPTY_WINDOW, holds: [hold()] }, DEFAULT_THRESHOLDS, NOW);
    expect(judged).toMatchObject({ verdict: 'go', over: { id: '1' } });
  });

  it('that drifted takes its hold along', () => {
    const drifted = change({ fingerprint: 'g', nodesChanged: 31, samples: ['b'] });
    const judged = judge(drifted, { window: EMPTY_WINDOW, holds: [hold()] }, DEFAULT_THRESHOLDS, NOW);
    const { heldAt } = hold();
    expect(judged).toMatchObject({
      hold: { id: '1', fingerprint: 'g', nodesChanged: 31, samples: ['b'], heldAt },
    });
  });

  it('never goes in pieces: what goes in one window is below a threshold together', () => {
    const pieces = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(pieces, fc.integer({ min: 1, max: 300 }), (sizes, nodesTotal) => {
        let window = EMPTY_WINDOW;
        let gone = 0;
        for (const [index, nodesChanged] of sizes.entries()) {
          const asked = change({ fingerprint: String(index), nodesChanged, nodesTotal });
          const judged = judge(asked, { window, holds: [] }, DEFAULT_THRESHOLDS, NOW + index);
          if (judged.verdict !== 'go') continue;
          gone += nodesChanged;
          window = judged.window ?? window;
        }
        expect(isLarge(gone, nodesTotal, DEFAULT_THRESHOLDS)).toBe(false);
        expect(window.changes.length).toBeLessThanOrEqual(100);
      }),
    );
  });
});

describe('the records', () => {
  it('of a window come back as they were', () => {
    const window = withHold(before(1, 5), 'x');
    expect(decodeWindow(encodeWindow(window))).toEqual(window);
  });

  it('of a window remember the latest holds only', () => {
    let window = EMPTY_WINDOW;
    for (let n = 0; n < 60; n += 1) window = withHold(window, String(n));
    expect([window.holds.length, window.holds.at(-1)]).toEqual([50, '59']);
  });

  it.each(['', '{', '[]', '{"v":2,"changes":[],"holds":[]}'])(
    'of another version count as nothing: %s',
    (value) => {
      expect(decodeWindow(value)).toEqual(EMPTY_WINDOW);
      expect(decodeHold({ key: 'guard/hold/1', value })).toBeUndefined();
    },
  );

  it.each([hold(), decided('released', 3)])('of a hold come back as they were', (each) => {
    expect(decodeHold({ key: `guard/hold/${each.id}`, value: encodeHold(each) })).toEqual(each);
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { reconnectDelayMs } from './agent-reconnect.ts';
import type { ReconnectPolicy, StreamEnd } from './agent-reconnect.ts';

const SECOND = 1_000;
const POLICY: ReconnectPolicy = {
  addresses: 2,
  firstMs: 10 * SECOND,
  longestMs: 90 * SECOND,
  helloTimeoutMs: 10 * SECOND,
};

function sentAway(reconnectAfterMs?: number): StreamEnd {
  return { kind: 'sent-away', reconnectAfterMs };
}

function refused(reconnectAfterMs?: number): StreamEnd {
  return { kind: 'refused', reconnectAfterMs };
}

describe('reconnectDelayMs', () => {
  it.each([
    ['first loss', { kind: 'lost' } as const, 0, [0, 10 * SECOND]],
    ['second', { kind: 'lost' } as const, 1, [0, 20 * SECOND]],
    ['fourth', { kind: 'lost' } as const, 3, [0, 80 * SECOND]],
    ['fifth, at the ceiling', { kind: 'lost' } as const, 4, [0, 90 * SECOND]],
    ['after very many', { kind: 'lost' } as const, 1e6, [0, 90 * SECOND]],
    ['a drain that names no delay', sentAway(), 0, [0, 10 * SECOND]],
    ['a drain that names a short one', sentAway(2 * SECOND), 0, [2 * SECOND, 4 * SECOND]],
    ['a drain that names a long one', sentAway(60 * SECOND), 0, [60 * SECOND, 70 * SECOND]],
    ['a drain that names a day', sentAway(86_400 * SECOND), 0, [600 * SECOND, 610 * SECOND]],
    ['a refusal', refused(), 0, [45 * SECOND, 90 * SECOND]],
    ['a refusal that names a delay', refused(300 * SECOND), 0, [300 * SECOND, 300 * SECOND]],
  ])('%s', (_, end, failures, [least, most]) => {
    expect(reconnectDelayMs(end, failures, POLICY, () => 0)).toBeCloseTo(least ?? 0);
    expect(reconnectDelayMs(end, failures, POLICY, () => 1)).toBeCloseTo(most ?? 0);
  });

  it('is finite and at most the ceiling, or what was asked for and the first ceiling', () => {
    const after = fc.option(fc.double({ noNaN: true }), { nil: undefined });
    fc.assert(
      fc.property(
        fc.constantFrom('lost', 'sent-away', 'refused'),
        after,
        fc.nat(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (kind, reconnectAfterMs, failures, random) => {
          const delay = reconnectDelayMs({ kind, reconnectAfterMs }, failures, POLICY, () => random);
          expect(delay).toBeGreaterThanOrEqual(0);
          expect(delay).toBeLessThanOrEqual(610 * SECOND);
        },
      ),
    );
  });
});

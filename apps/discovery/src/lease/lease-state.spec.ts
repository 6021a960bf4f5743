import { describe, expect, it } from '@jest/globals';
import { MINUTE, SECOND } from '@tagplane/runtime';
import { dueAt, firstLease, isUsable, next } from './lease-state.ts';
import type { Lease, LeaseEffect, LeaseEvent } from './lease-state.ts';

const NOW = 1_000 * SECOND;
const TTL = 20 * SECOND;

const standby = (over: Partial<Lease & { phase: 'standby' }> = {}): Lease => ({
  phase: 'standby',
  asking: NOW,
  leader: undefined,
  problem: undefined,
  heardAt: undefined,
  ...over,
});
const leading = (over: Partial<Lease & { phase: 'leading' }> = {}): Lease => ({
  phase: 'leading',
  asking: NOW,
  token: 7n,
  until: NOW + TTL,
  problem: undefined,
  ...over,
});
const ending = (then: 'standby' | 'leave', asking: number | 'asked' = NOW, token?: bigint): Lease => ({
  phase: 'ending',
  asking,
  token,
  then,
});
const held = (token: bigint, askedAt = NOW): LeaseEvent => ({
  type: 'held',
  token,
  askedAt,
  remainingMs: TTL,
});
const others = (remainingMs = TTL): LeaseEvent => ({ type: 'others', holder: 'b', remainingMs });
const UNKNOWN: LeaseEvent = { type: 'unknown' };
const FAILED: LeaseEvent = { type: 'failed', problem: 'away' };
const DUE: LeaseEvent = { type: 'due' };
const STOP: LeaseEvent = { type: 'stop' };
const ENDED: LeaseEvent = { type: 'term-ended' };
const ALONE: Lease = { phase: 'alone', asking: NOW };
const end = (reason: (LeaseEffect & { do: 'end' })['reason']): LeaseEffect => ({ do: 'end', reason });

describe('a step', () => {
  it.each<[string, Lease, LeaseEvent, Partial<Lease>, LeaseEffect[]]>([
    ['asks when it starts', firstLease(NOW), DUE, { asking: 'asked' }, [{ do: 'ask', token: 0n }]],
    ['asks one question at a time', standby({ asking: 'asked' }), DUE, { asking: 'asked' }, []],
    ['renews', leading(), DUE, { phase: 'leading', asking: 'asked' }, [{ do: 'ask', token: 7n }]],
    [
      'begins with the lease',
      standby({ asking: 'asked' }),
      held(7n),
      { phase: 'leading', until: NOW + TTL, asking: NOW + 5 * SECOND },
      [{ do: 'begin', token: 7n }],
    ],
    [
      'counts the lease from the question, not from the answer',
      standby({ asking: 'asked' }),
      held(7n, NOW - 2 * SECOND),
      { phase: 'leading', until: NOW + 18 * SECOND, asking: NOW + 3 * SECOND },
      [{ do: 'begin', token: 7n }],
    ],
    [
      'does not begin with an answer that took too long',
      standby({ asking: 'asked' }),
      held(7n, NOW - 15 * SECOND),
      { phase: 'standby', asking: NOW },
      [],
    ],
    [
      'stands by while another has it',
      standby({ asking: 'asked' }),
      others(),
      { phase: 'standby', leader: 'b', asking: NOW + 5 * SECOND },
      [],
    ],
    [
      'asks again when that runs out',
      standby({ asking: 'asked' }),
      others(2 * SECOND),
      { asking: NOW + 2.1 * SECOND },
      [],
    ],
    ['does not ask in a circle', standby({ asking: 'asked' }), others(0), { asking: NOW + SECOND / 2 }, []],
    [
      'asks again soon after a failure',
      standby({ asking: 'asked', leader: 'b' }),
      FAILED,
      { phase: 'standby', problem: 'away', asking: NOW + SECOND },
      [],
    ],
    [
      'works alone where no leases are known',
      standby({ asking: 'asked' }),
      UNKNOWN,
      { phase: 'alone', asking: NOW + 15 * SECOND },
      [{ do: 'begin', token: undefined }],
    ],
    [
      'does not by the word of one old auth process among new ones',
      standby({ asking: 'asked', heardAt: NOW - 59 * SECOND }),
      UNKNOWN,
      { phase: 'standby', asking: NOW + SECOND },
      [],
    ],
    [
      'does when no new one is left',
      standby({ asking: 'asked', heardAt: NOW - MINUTE }),
      UNKNOWN,
      { phase: 'alone' },
      [{ do: 'begin', token: undefined }],
    ],
    ['ends its work alone when another leads', ALONE, others(), { phase: 'ending' }, [end('leases-known')]],
    ['ends its work alone to get a lease', ALONE, held(1n), { phase: 'ending' }, [end('leases-known')]],
    ['goes on alone', ALONE, UNKNOWN, { phase: 'alone', asking: NOW + 15 * SECOND }, []],
    [
      'is renewed',
      leading({ asking: 'asked', until: NOW + 6 * SECOND, problem: 'away' }),
      held(7n),
      { phase: 'leading', until: NOW + TTL, problem: undefined },
      [],
    ],
    [
      'goes on for now without an answer',
      leading({ asking: 'asked' }),
      FAILED,
      { phase: 'leading', until: NOW + TTL, asking: NOW + SECOND },
      [],
    ],
    ['goes on past an old auth process', leading({ asking: 'asked' }), UNKNOWN, { phase: 'leading' }, []],
    [
      'ends 5 s before its lease',
      leading({ asking: 'asked', until: NOW + 5 * SECOND }),
      DUE,
      { phase: 'ending', then: 'standby' },
      [end('overdue')],
    ],
    ['ends when another has it', leading({ asking: 'asked' }), others(), { phase: 'ending' }, [end('taken')]],
    [
      'ends under a new token',
      leading({ asking: 'asked' }),
      held(8n),
      { phase: 'ending' },
      [end('renumbered')],
    ],
    [
      'ends when a write was refused',
      leading({ asking: 'asked' }),
      { type: 'void', reason: 'refused' },
      { phase: 'ending', asking: 'asked', then: 'standby' },
      [end('refused')],
    ],
    ['asks at once when its term has ended', ending('standby'), ENDED, { phase: 'standby', asking: NOW }, []],
    ['asks no second question then', ending('standby', 'asked'), ENDED, { asking: 'asked' }, []],
    ['does not ask while a term ends', ending('standby'), DUE, { phase: 'ending', asking: NOW }, []],
    ['leaves from standby', standby(), STOP, { phase: 'over' }, []],
    [
      'waits for the answer that is under way',
      standby({ asking: 'asked' }),
      STOP,
      { phase: 'leaving' },
      [{ do: 'hurry' }],
    ],
    [
      'gives back what it gets while leaving',
      { phase: 'leaving', token: undefined },
      held(9n),
      { phase: 'releasing' },
      [{ do: 'release', token: 9n }],
    ],
    ['leaves when it gets nothing', { phase: 'leaving', token: undefined }, FAILED, { phase: 'over' }, []],
    ['ends its term first', leading(), STOP, { phase: 'ending', token: 7n, then: 'leave' }, [end('stopped')]],
    [
      'gives its lease back then',
      ending('leave', NOW, 7n),
      ENDED,
      { phase: 'releasing' },
      [{ do: 'release', token: 7n }],
    ],
    [
      'but not before its last renewal is answered, which would take the lease again',
      ending('leave', 'asked', 7n),
      ENDED,
      { phase: 'leaving', token: 7n },
      [{ do: 'hurry' }],
    ],
    ['may be stopped while a term ends', ending('standby'), STOP, { phase: 'ending', then: 'leave' }, []],
    ['ends a term alone', ALONE, STOP, { phase: 'ending', token: undefined }, [end('stopped')]],
    [
      'gives back when a term failed',
      leading(),
      ENDED,
      { phase: 'releasing' },
      [{ do: 'release', token: 7n }],
    ],
    ['has left', { phase: 'releasing' }, { type: 'released' }, { phase: 'over' }, []],
  ])('%s', (_name, lease, event, expected, effects) => {
    const step = next(lease, event, NOW);
    expect(step.lease).toMatchObject(expected);
    expect(step.effects).toEqual(effects);
  });
});

describe('the time of the next step', () => {
  it.each<[string, Lease, number | undefined]>([
    ['a question', standby(), NOW],
    ['an answer under way', standby({ asking: 'asked' }), undefined],
    ['the end of a term', leading({ asking: 'asked' }), NOW + 15 * SECOND],
    ['a renewal', leading(), NOW],
    ['the end of an ending', ending('standby'), undefined],
  ])('is that of %s', (_name, lease, expected) => {
    expect(dueAt(lease)).toBe(expected);
  });
});

describe('a lease', () => {
  it('may be written under with its own token, until 5 s before its end', () => {
    expect(isUsable(leading(), 7n, NOW + 14_999)).toBe(true);
    expect(isUsable(leading(), 7n, NOW + 15_000)).toBe(false);
    expect(isUsable(leading(), 6n, NOW)).toBe(false);
    expect(isUsable(ending('standby'), 7n, NOW)).toBe(false);
  });
});

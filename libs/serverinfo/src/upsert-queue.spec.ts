import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { UpsertReason, Work } from './plan.ts';
import { MAX_EXPRESS_LENGTH } from './pacing.ts';
import { UpsertQueue } from './upsert-queue.ts';
import type { Batch } from './upsert-queue.ts';

function upsert(name: string, reason: UpsertReason = 'new', revision = 'r1'): Work {
  const found = {
    name,
    state: 'running' as const,
    platform: 'linux' as const,
    revision,
    packedLabels: '[]',
    observedAt: 0,
    rejected: [],
  };
  return { action: 'upsert', name, reason, found };
}

const remove = (name: string): Work => ({ action: 'delete', name });

function queueOf(...work: Work[]): UpsertQueue {
  const queue = new UpsertQueue();
  for (const item of work) queue.offer(item);
  return queue;
}

const names = (batch: Batch | undefined): string[] => batch?.work.map((work) => work.name) ?? [];

function revisions(batch: Batch | undefined): string[] {
  return batch?.action === 'upsert' ? batch.work.map((work) => work.found.revision) : [];
}

describe('the upsert queue', () => {
  it('sends changed labels first, then new ones, renewals last, each in order', () => {
    const queue = queueOf(
      upsert('r1', 'renewal'),
      upsert('n1'),
      upsert('n2'),
      upsert('c1', 'changed'),
      upsert('r2', 'renewal'),
      upsert('c2', 'changed'),
    );
    expect(queue.length).toBe(6);
    expect(names(queue.take(3))).toEqual(['c1', 'c2', 'n1']);
    expect(names(queue.take(3))).toEqual(['n2', 'r1', 'r2']);
    expect(queue.take(3)).toBeUndefined();
    expect(queue.length).toBe(0);
    expect(queue.inFlight).toBe(6);
    expect(queue.has('c1')).toBe(true);
  });

  it('weighs deletions and changed labels by age, and keeps them in batches of their own', () => {
    const queue = queueOf(
      upsert('c1', 'changed'),
      remove('d1'),
      remove('d2'),
      upsert('c2', 'changed'),
      upsert('n'),
    );
    expect(names(queue.take(1))).toEqual(['c1']);
    expect(queue.take(5)).toEqual({ action: 'delete', work: [remove('d1'), remove('d2')] });
    expect(names(queue.take(5))).toEqual(['c2', 'n']);
  });

  it('replaces a queued version in its place', () => {
    const queue = queueOf(upsert('a'), upsert('b'), upsert('a', 'new', 'r2'));
    expect(queue.length).toBe(2);
    const batch = queue.take(5);
    expect(names(batch)).toEqual(['a', 'b']);
    expect(revisions(batch)).toEqual(['r2', 'r1']);
  });

  it('moves a version up, never down', () => {
    const up = queueOf(upsert('n'), upsert('a', 'renewal'), upsert('a', 'changed', 'r2'));
    expect(names(up.take(5))).toEqual(['a', 'n']);
    const down = queueOf(upsert('n'), upsert('a', 'changed'), upsert('a', 'renewal', 'r2'));
    const batch = down.take(5);
    expect(names(batch)).toEqual(['a', 'n']);
    expect(revisions(batch)).toEqual(['r2', 'r1']);
  });

  it('lets a deletion replace an upsert, and the other way round', () => {
    expect(queueOf(upsert('a'), remove('a')).take(5)).toEqual({ action: 'delete', work: [remove('a')] });
    expect(queueOf(remove('a'), upsert('a')).take(5)?.action).toBe('upsert');
  });

  it('drops what is not due any more', () => {
    const queue = queueOf(upsert('a'), upsert('b', 'changed'), remove('c'));
    for (const name of ['a', 'b', 'c', 'unknown']) queue.drop(name);
    expect(queue.length).toBe(0);
    expect(queue.take(5)).toBeUndefined();
  });
});

const urgent = (work: Work): Work => ({ ...work, urgent: true });

describe('the express lane', () => {
  it('is taken from apart, a batch of one kind at a time, in order', () => {
    const queue = queueOf(
      upsert('paced', 'changed'),
      urgent(upsert('a', 'changed')),
      urgent(upsert('b', 'new')),
      urgent(remove('c')),
      urgent(upsert('d', 'renewal')),
    );
    expect([queue.length, queue.expressLength]).toEqual([5, 4]);
    expect(names(queue.takeExpress(100))).toEqual(['a', 'b']);
    expect(queue.takeExpress(100)).toEqual({ action: 'delete', work: [urgent(remove('c'))] });
    expect(names(queue.takeExpress(100))).toEqual(['d']);
    expect(queue.takeExpress(100)).toBeUndefined();
    expect(names(queue.take(5))).toEqual(['paced']);
  });

  it('gives no more than asked for', () => {
    const queue = queueOf(urgent(upsert('a')), urgent(upsert('b')), urgent(upsert('c')));
    expect(names(queue.takeExpress(2))).toEqual(['a', 'b']);
    expect(names(queue.takeExpress(2))).toEqual(['c']);
  });

  it('takes over what was paced, and keeps what is replaced from a scan', () => {
    const queue = queueOf(upsert('a'), urgent(upsert('a', 'changed', 'r2')));
    expect(queue.take(5)).toBeUndefined();
    queue.offer(upsert('a', 'renewal', 'r3'));
    queue.offer(urgent(upsert('b')));
    queue.offer(remove('b'));
    expect(revisions(queue.takeExpress(5))).toEqual(['r3']);
    expect(queue.takeExpress(5)).toEqual({ action: 'delete', work: [remove('b')] });
  });

  it('waits for the answer about an older version, and is put back into it', () => {
    const queue = queueOf(upsert('a'), urgent(upsert('b')));
    queue.take(5);
    queue.takeExpress(5);
    queue.offer(urgent(upsert('a', 'changed', 'r2')));
    expect(queue.takeExpress(5)).toBeUndefined();
    queue.settle(['a']);
    queue.putBack(['b']);
    expect(names(queue.takeExpress(5))).toEqual(['b', 'a']);
    expect(queue.take(5)).toBeUndefined();
  });

  it('lets what finds it full go the common way', () => {
    const queue = new UpsertQueue();
    for (let number = 0; number < MAX_EXPRESS_LENGTH + 3; number += 1) {
      queue.offer(urgent(upsert(`n${number}`, 'changed')));
    }
    expect([queue.length, queue.expressLength]).toEqual([MAX_EXPRESS_LENGTH + 3, MAX_EXPRESS_LENGTH]);
    expect(queue.take(10)?.work).toHaveLength(3);
    queue.drop('n0');
    expect(queue.expressLength).toBe(MAX_EXPRESS_LENGTH - 1);
  });
});

describe('an item in flight', () => {
  it('is not sent again before its answer', () => {
    const queue = queueOf(upsert('a'));
    queue.take(5);
    queue.offer(upsert('a', 'changed', 'r2'));
    expect(queue.length).toBe(1);
    expect(queue.take(5)).toBeUndefined();
    queue.settle(['a']);
    expect(queue.length).toBe(1);
    expect(revisions(queue.take(5))).toEqual(['r2']);
  });

  it('takes a newer version that says the same with it', () => {
    const queue = queueOf(upsert('a'), remove('b'));
    queue.take(5);
    queue.take(5);
    queue.offer(upsert('a', 'changed', 'r1'));
    queue.offer(remove('b'));
    queue.settle(['a', 'b']);
    expect([queue.length, queue.inFlight]).toEqual([0, 0]);
  });

  it('that failed waits in front of its own kind, behind none of its newer versions', () => {
    const queue = queueOf(upsert('a'), upsert('b'), upsert('c'), upsert('d'));
    const batch = queue.take(3);
    queue.offer(upsert('b', 'new', 'r2'));
    queue.offer(upsert('e', 'changed'));
    queue.putBack(names(batch));
    expect(queue.length).toBe(5);
    const again = queue.take(9);
    expect(names(again)).toEqual(['e', 'a', 'b', 'c', 'd']);
    expect(revisions(again)).toEqual(['r1', 'r1', 'r2', 'r1', 'r1']);
  });

  it('that failed makes way for a newer deletion', () => {
    const queue = queueOf(upsert('a'));
    queue.take(5);
    queue.offer(remove('a'));
    queue.putBack(['a']);
    expect(queue.take(5)).toEqual({ action: 'delete', work: [remove('a')] });
  });

  it('loses the newer version that is not due any more', () => {
    const queue = queueOf(upsert('a'));
    queue.take(5);
    queue.offer(upsert('a', 'changed', 'r2'));
    queue.drop('a');
    queue.settle(['a', 'a', 'unknown']);
    queue.putBack(['a']);
    expect([queue.length, queue.inFlight]).toEqual([0, 0]);
  });
});

/** The same queue, said in the plainest way: a list of names with their state. */
class Model {
  waiting = new Map<string, Work>();
  flying = new Map<string, Work>();
  held = new Map<string, Work>();

  offer(work: Work): void {
    (this.flying.has(work.name) ? this.held : this.waiting).set(work.name, work);
  }

  settle(name: string): void {
    const sent = this.flying.get(name);
    const newer = this.held.get(name);
    this.flying.delete(name);
    this.held.delete(name);
    if (sent === undefined || newer === undefined || content(sent) === content(newer)) return;
    this.waiting.set(name, newer);
  }

  putBack(name: string): void {
    const sent = this.flying.get(name);
    if (sent === undefined) return;
    this.waiting.set(name, this.held.get(name) ?? sent);
    this.flying.delete(name);
    this.held.delete(name);
  }
}

function content(work: Work): string {
  return work.action === 'delete' ? 'delete' : work.found.revision;
}

type Step =
  | { do: 'offer'; work: Work }
  | { do: 'take'; limit: number }
  | { do: 'takeExpress'; limit: number }
  | { do: 'drop' | 'settle' | 'putBack'; name: string };

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
const reason = fc.constantFrom<UpsertReason>('changed', 'new', 'renewal');
const step: fc.Arbitrary<Step> = fc.oneof(
  fc
    .tuple(fc.boolean(), name, reason, fc.constantFrom('r1', 'r2'))
    .map(([haste, ...args]): Step => ({ do: 'offer', work: { ...upsert(...args), urgent: haste } })),
  fc
    .tuple(fc.boolean(), name)
    .map(([haste, text]): Step => ({ do: 'offer', work: { ...remove(text), urgent: haste } })),
  fc
    .tuple(fc.constantFrom('take' as const, 'takeExpress' as const), fc.integer({ min: 1, max: 4 }))
    .map(([verb, limit]): Step => ({ do: verb, limit })),
  fc
    .tuple(fc.constantFrom('drop' as const, 'settle' as const, 'putBack' as const), name)
    .map(([verb, text]): Step => ({ do: verb, name: text })),
);

function takeBoth(queue: UpsertQueue, model: Model, step: Step & { limit: number }): void {
  const { limit } = step;
  const [express, paced] = [queue.expressLength, model.waiting.size - queue.expressLength];
  const batch = step.do === 'take' ? queue.take(limit) : queue.takeExpress(limit);
  const taken: readonly Work[] = batch?.work ?? [];
  expect(taken.length).toBeLessThanOrEqual(limit);
  expect(new Set(taken.map(({ action }) => action)).size).toBeLessThanOrEqual(1);
  if (taken.length === 0) expect(step.do === 'take' ? paced : express).toBe(0);
  for (const work of taken) {
    expect(model.flying.has(work.name)).toBe(false);
    expect(content(work)).toBe(content(model.waiting.get(work.name) ?? upsert('', 'new', 'not waiting')));
    model.waiting.delete(work.name);
    model.flying.set(work.name, work);
  }
}

describe('the queue against its model', () => {
  it('loses nothing, doubles nothing, and always sends the newest version', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new UpsertQueue();
        const model = new Model();
        for (const next of steps) {
          if (next.do === 'offer') {
            queue.offer(next.work);
            model.offer(next.work);
          } else if (next.do === 'take' || next.do === 'takeExpress') takeBoth(queue, model, next);
          else if (next.do === 'drop') {
            queue.drop(next.name);
            (model.flying.has(next.name) ? model.held : model.waiting).delete(next.name);
          } else if (next.do === 'settle') {
            queue.settle([next.name]);
            model.settle(next.name);
          } else {
            queue.putBack([next.name]);
            model.putBack(next.name);
          }
          expect(queue.length).toBe(model.waiting.size + model.held.size);
          expect(queue.inFlight).toBe(model.flying.size);
          if (next.do === 'drop') expect(queue.has(next.name)).toBe(model.flying.has(next.name));
        }
      }),
      { numRuns: 500 },
    );
  });
});

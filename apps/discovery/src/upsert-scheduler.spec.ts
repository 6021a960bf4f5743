import { describe, expect, it } from '@jest/globals';
import { fakeInstance } from '@tagplane/ec2/testing';
import { MINUTE } from '@tagplane/runtime';
import { MAX_OBSERVATION_AGE_MS, observeInstance } from '@tagplane/serverinfo';
import type { FoundInstance } from '@tagplane/serverinfo';
import { ScopeTable } from './estate/scope.ts';
import { fakeScope } from './testing/scopes.ts';
import { UpsertScheduler } from './upsert-scheduler.ts';

const NOW = 1_800_000_000_000;

function found(number: number, name: string, observedAt: number, state?: 'terminated'): FoundInstance {
  const parts = { tags: [['Name', name]] as [string, string][], ...(state && { state }) };
  return observeInstance(fakeInstance(number, parts), observedAt);
}

function findings(...instances: FoundInstance[]): Map<string, FoundInstance> {
  return new Map(instances.map((instance) => [instance.name, instance]));
}

function warmScheduler(): UpsertScheduler {
  const scheduler = new UpsertScheduler(
    () => 0.5,
    new ScopeTable([fakeScope({ id: 'a' }), fakeScope({ id: 'b' })]),
  );
  scheduler.warm([], 'epoch-1', NOW);
  return scheduler;
}

describe('UpsertScheduler', () => {
  it('does not send what waited until EC2’s word on it was out of date', () => {
    const scheduler = warmScheduler();
    scheduler.scanned('a', findings(found(0, 'old', NOW), found(1, 'new', NOW + 20 * MINUTE)), NOW, NOW);
    const later = NOW + MAX_OBSERVATION_AGE_MS + 1;
    const dispatch = scheduler.outbox.next(later);
    expect(dispatch).toMatchObject({ action: 'upsert', items: [{ sent: { name: found(1, '', 0).name } }] });
    expect(scheduler.outbox.next(later)).toBeUndefined();
    expect([scheduler.outbox.length, scheduler.outbox.inFlight]).toEqual([0, 1]);
  });

  it('sends it after the next complete scan', () => {
    const scheduler = warmScheduler();
    scheduler.scanned('a', findings(found(0, 'old', NOW)), NOW, NOW);
    const later = NOW + 60 * MINUTE;
    expect(scheduler.outbox.next(later)).toBeUndefined();
    scheduler.scanned('a', findings(found(0, 'new', later)), later, later);
    expect(scheduler.outbox.next(later)).toMatchObject({
      items: [{ draft: { labels: new Map([['aws/Name', 'new']]) } }],
    });
  });

  it('holds the size of its batches until the queue has run empty, and no longer', () => {
    const scheduler = warmScheduler();
    const scan = (size: number, tag: string): number[] => {
      scheduler.scanned(
        'a',
        findings(...Array.from({ length: size }, (_, n) => found(n, tag, NOW))),
        NOW,
        NOW,
      );
      for (const loss of scheduler.losses.requests(NOW)) scheduler.grant(loss, NOW);
      const sizes: number[] = [];
      for (let next = scheduler.outbox.next(NOW); next !== undefined; next = scheduler.outbox.next(NOW)) {
        if (next.action !== 'upsert') throw new Error('nothing was terminated');
        sizes.push(next.items.length);
        scheduler.outbox.answered(
          next,
          next.items.map(() => ({ status: 'accepted' })),
          NOW,
        );
      }
      return sizes;
    };
    expect(scan(5_401, 'first')).toEqual([...Array.from({ length: 771 }, () => 7), 4]);
    expect(scan(11, 'second')).toEqual([5, 5, 1]);
  });

  it.each([
    ['a newer tag', found(0, 'newer', NOW + MINUTE)],
    ['a termination', found(0, 'older', NOW + MINUTE, 'terminated')],
  ])('does not take back %s for the older word of another scope of the region', (_, newer) => {
    const scheduler = warmScheduler();
    scheduler.scanned('b', findings(newer), NOW + MINUTE, NOW + MINUTE);
    // A long scan that asked first and ends last.
    scheduler.scanned('a', findings(found(0, 'older', NOW)), NOW, NOW + 5 * MINUTE);
    const dispatch = scheduler.outbox.next(NOW + 5 * MINUTE);
    if (newer.state === 'terminated') expect(dispatch).toBeUndefined();
    else expect(dispatch).toMatchObject({ items: [{ draft: { labels: new Map([['aws/Name', 'newer']]) } }] });
  });
});

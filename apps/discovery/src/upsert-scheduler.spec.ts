import { describe, expect, it } from '@jest/globals';
import { fakeInstance } from '@tagplane/ec2/testing';
import { MINUTE } from '@tagplane/runtime';
import { MAX_OBSERVATION_AGE_MS, observeInstance } from '@tagplane/serverinfo';
import type { FoundInstance } from '@tagplane/serverinfo';
import type { ScopeFindings } from './inventory.ts';
import { UpsertScheduler } from './upsert-scheduler.ts';

const NOW = 1_800_000_000_000;

function found(number: number, name: string, observedAt: number, state?: 'terminated'): FoundInstance {
  const parts = { tags: [['Name', name]] as [string, string][], ...(state && { state }) };
  return observeInstance(fakeInstance(number, parts), observedAt);
}

function findings(...instances: FoundInstance[]): ScopeFindings {
  return new Map(instances.map((instance) => [instance.name, instance]));
}

function warmScheduler(): UpsertScheduler {
  const scheduler = new UpsertScheduler(() => 0.5);
  scheduler.warm([], 'epoch-1', NOW);
  return scheduler;
}

describe('UpsertScheduler', () => {
  it('does not send what waited until EC2’s word on it was out of date', () => {
    const scheduler = warmScheduler();
    scheduler.scanned('a', findings(found(0, 'old', NOW), found(1, 'new', NOW + 20 * MINUTE)), NOW);
    const later = NOW + MAX_OBSERVATION_AGE_MS + 1;
    const dispatch = scheduler.next(later);
    expect(dispatch).toMatchObject({ action: 'upsert', items: [{ sent: { name: found(1, '', 0).name } }] });
    expect(scheduler.next(later)).toBeUndefined();
    expect([scheduler.queueLength, scheduler.inFlight]).toEqual([0, 1]);
  });

  it('sends it after the next complete scan', () => {
    const scheduler = warmScheduler();
    scheduler.scanned('a', findings(found(0, 'old', NOW)), NOW);
    const later = NOW + 60 * MINUTE;
    expect(scheduler.next(later)).toBeUndefined();
    scheduler.scanned('a', findings(found(0, 'new', later)), later);
    expect(scheduler.next(later)).toMatchObject({
      items: [{ draft: { labels: new Map([['aws/Name', 'new']]) } }],
    });
  });

  it.each([
    ['a newer tag', found(0, 'newer', NOW + MINUTE)],
    ['a termination', found(0, 'older', NOW + MINUTE, 'terminated')],
  ])('does not take back %s for the older word of another scope of the region', (_, newer) => {
    const scheduler = warmScheduler();
    scheduler.scanned('b', findings(newer), NOW + MINUTE);
    // A long scan that asked first and ends last.
    scheduler.scanned('a', findings(found(0, 'older', NOW)), NOW + 5 * MINUTE);
    const dispatch = scheduler.next(NOW + 5 * MINUTE);
    if (newer.terminated) expect(dispatch).toBeUndefined();
    else expect(dispatch).toMatchObject({ items: [{ draft: { labels: new Map([['aws/Name', 'newer']]) } }] });
  });
});

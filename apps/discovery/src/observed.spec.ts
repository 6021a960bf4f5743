import { beforeEach, describe, expect, it } from '@jest/globals';
import { matchesFilters } from '@tagplane/ec2';
import type { DiscoveredInstance } from '@tagplane/ec2';
import { fakeInstance } from '@tagplane/ec2/testing';
import { SECOND } from '@tagplane/runtime';
import { compileCarryRules, discoveredName, observeInstance } from '@tagplane/serverinfo';
import type { FoundInstance } from '@tagplane/serverinfo';
import { ScopeTable } from './estate/scope.ts';
import { fakeScope } from './testing/scopes.ts';
import { UpsertScheduler } from './upsert-scheduler.ts';

const NOW = 1_800_000_000_000;
const ACCOUNT = '123456789012';

function tagged(number: number, tags: Record<string, string>, state?: DiscoveredInstance['state']) {
  return fakeInstance(number, { tags: Object.entries(tags), ...(state && { state }) });
}
function scan(at: number, ...instances: DiscoveredInstance[]): Map<string, FoundInstance> {
  return new Map(instances.map((each) => [discoveredName(each.key), observeInstance(each, at)]));
}

const labelled = compileCarryRules({
  allow: ['*'],
  deny: [],
  rename: new Map(),
  labels: new Map([['site', 'fra']]),
});
const prod = { tags: { env: ['prod'] } };
const first = fakeScope({
  id: 'first',
  account: ACCOUNT,
  filters: prod,
  matches: (instance) => matchesFilters(instance, prod),
  carry: labelled,
});
const all = fakeScope({ id: 'all', account: ACCOUNT, block: 1 });

let scheduler: UpsertScheduler;
beforeEach(() => {
  scheduler = new UpsertScheduler(() => 0.5, new ScopeTable([first, all]));
  scheduler.warm([], 'epoch-1', NOW);
});

/** Sends all that is urgent and may leave; what was sent, by instance number. */
function sendUrgent(now: number): unknown[] {
  for (const loss of scheduler.losses.requests(now)) scheduler.grant(loss, now);
  const sent: unknown[] = [];
  for (;;) {
    const dispatch = scheduler.outbox.nextUrgent(now);
    if (dispatch === undefined) return sent;
    if (dispatch.action === 'delete') {
      sent.push(...dispatch.names.map(() => 'deleted'));
      scheduler.outbox.deleted(dispatch);
    } else {
      sent.push(...dispatch.items.map(({ draft }) => Object.fromEntries(draft.labels)));
      const accepted = dispatch.items.map(() => ({ status: 'accepted' }) as const);
      scheduler.outbox.answered(dispatch, accepted, now);
    }
  }
}

describe('a targeted look', () => {
  it('is sent ahead, by the rules of the first block that has the instance', () => {
    scheduler.observed(all, [tagged(0, { env: 'prod' }), tagged(1, { env: 'dev' })], [], NOW, NOW);
    expect(sendUrgent(NOW)).toEqual([{ 'aws/env': 'prod', 'aws/site': 'fra' }, { 'aws/env': 'dev' }]);
  });

  it('moves an instance to another block when its tags do', () => {
    scheduler.observed(all, [tagged(0, { env: 'prod' })], [], NOW, NOW);
    expect(sendUrgent(NOW)).toHaveLength(1);
    const later = NOW + SECOND;
    scheduler.observed(first, [tagged(0, { env: 'dev' })], [], later, later);
    expect(sendUrgent(later)).toEqual([{ 'aws/env': 'dev' }]);
  });

  it('waits for leave like any loss, and is urgent once it has it', () => {
    scheduler.observed(all, [tagged(0, { env: 'dev', a: '1' })], [], NOW, NOW);
    sendUrgent(NOW);
    scheduler.observed(all, [tagged(0, { env: 'dev' })], [], NOW + 1, NOW + 1);
    expect([scheduler.outbox.expressLength, scheduler.losses.heldBack]).toEqual([0, 1]);
    expect(sendUrgent(NOW + 1)).toEqual([{ 'aws/env': 'dev' }]);
  });

  it('stands against the scan that was under way, and not against the next one', () => {
    const before = tagged(0, { env: 'old' });
    scheduler.scanned('all', scan(NOW, before), NOW, NOW);
    scheduler.scanned('first', new Map(), NOW, NOW);
    scheduler.observed(all, [tagged(0, { env: 'new' })], [], NOW + 20, NOW + 21);
    // It began to ask at 10 and ended at 30.
    scheduler.scanned('all', scan(NOW + 10, before), NOW + 10, NOW + 30);
    const [found] = scheduler.findings('all').values();
    expect(found?.packedLabels).toContain('new');
    scheduler.scanned('all', scan(NOW + 40, before), NOW + 40, NOW + 50);
    expect([...scheduler.findings('all').values()][0]?.packedLabels).toContain('old');
  });

  it('deletes what it sees terminated, though it has lost the tags that a filter goes by', () => {
    scheduler.observed(first, [tagged(0, { env: 'prod' })], [], NOW, NOW);
    sendUrgent(NOW);
    scheduler.observed(first, [tagged(0, {}, 'terminated')], [], NOW + 1, NOW + 1);
    expect(sendUrgent(NOW + 1)).toEqual(['deleted']);
  });

  it('deletes what only the auth service knows of, as after a restart', () => {
    const held = observeInstance(tagged(0, { env: 'prod' }), NOW);
    const only = new UpsertScheduler(() => 0.5, new ScopeTable([first]));
    only.warm([{ ...held, expiresAt: NOW + 3_600 * SECOND }], 'epoch-1', NOW);
    only.observed(first, [tagged(0, {}, 'terminated')], [], NOW, NOW);
    for (const loss of only.losses.requests(NOW)) only.grant(loss, NOW);
    expect(only.outbox.nextUrgent(NOW)).toMatchObject({ action: 'delete', names: [held.name] });
  });

  it('that does not find an instance takes nothing away: what is stored runs out', () => {
    const instance = tagged(0, { env: 'dev' });
    scheduler.observed(all, [instance], [], NOW, NOW);
    sendUrgent(NOW);
    scheduler.observed(all, [], [instance.key], NOW + 1, NOW + 1);
    expect(sendUrgent(NOW + 1)).toEqual([]);
    expect([scheduler.findings('all').size, scheduler.knownSize]).toEqual([0, 1]);
  });

  it('says nothing of instances that are elsewhere', () => {
    const foreign = fakeInstance(0, { account: '210987654321' });
    scheduler.observed(all, [foreign], [foreign.key], NOW, NOW);
    expect([sendUrgent(NOW), [...scheduler.instances()]]).toEqual([[], []]);
  });
});

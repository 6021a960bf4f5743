import { describe, expect, it } from '@jest/globals';
import { instanceKeyText } from '@tagplane/identity';
import { HOUR, MINUTE, SECOND } from '@tagplane/runtime';
import fc from 'fast-check';
import { ARRIVAL_MS, COMMAND_MS, EnrolmentBook } from './book.ts';
import type { EnrolmentCandidate } from './facts.ts';
import { planEnrolments } from './plan.ts';
import { candidateOf, factsOf } from './testing/samples.ts';

const BEGAN = 1_700_000_000_000;

/** What happens in one step: time passes, then commands are answered. */
interface Step {
  readonly passMs: number;
  readonly outcomes: readonly ('lost' | 'refused' | 'postponed' | 'failed' | 'agent' | 'no agent')[];
}

const steps = fc.array(
  fc.record<Step>({
    passMs: fc.oneof(
      fc.integer({ min: 0, max: 5 * SECOND }),
      fc.integer({ min: 0, max: 2 * MINUTE }),
      fc.integer({ min: 0, max: HOUR }),
    ),
    outcomes: fc.array(fc.constantFrom('lost', 'refused', 'postponed', 'failed', 'agent', 'no agent'), {
      minLength: 1,
      maxLength: 5,
    }),
  }),
  { maxLength: 60 },
);
const fleet = fc
  .array(fc.record({ block: fc.integer({ min: 0, max: 2 }), running: fc.boolean() }), { maxLength: 40 })
  .map((all) =>
    all.map(({ block, running }, index) =>
      candidateOf(index, { block, state: running ? 'running' : 'stopped' }),
    ),
  );
const limits = fc.record({
  capPerMinute: fc.integer({ min: 1, max: 8 }),
  maxInFlight: fc.integer({ min: 1, max: 12 }),
});

/** Drives a book through steps; tells every begin. */
class World {
  readonly book = new EnrolmentBook(() => 0.5);
  readonly agents = new Set<string>();
  readonly begun: { readonly id: string; readonly block: number; readonly at: number }[] = [];
  now = BEGAN;

  step(
    candidates: readonly EnrolmentCandidate[],
    limit: { capPerMinute: number; maxInFlight: number },
  ): string[] {
    this.book.expire(this.now);
    const facts = factsOf(candidates, { agents: this.agents, limits: () => limit });
    const { begin, gone } = planEnrolments(this.book, facts, this.now);
    this.book.forget(gone);
    this.book.forget(this.agents);
    this.book.begin(begin, this.now);
    const ids = begin.map(({ key }) => instanceKeyText(key));
    for (const [index, { block }] of begin.entries())
      this.begun.push({ id: ids[index] ?? '', block, at: this.now });
    return ids;
  }

  settle(id: string, outcome: Step['outcomes'][number]): void {
    if (outcome === 'refused') this.book.failed(id, 'refused', this.now);
    if (outcome === 'postponed') this.book.postpone(id, 'SSM throttles', this.now);
    if (outcome === 'refused' || outcome === 'postponed') return;
    this.book.commanded(id, `command of ${id}`, this.now);
    if (outcome === 'failed') this.book.failed(id, 'exit code 1', this.now);
    if (outcome === 'agent' || outcome === 'no agent') this.book.carriedOut({ id, commandId: 'c' }, this.now);
    if (outcome === 'agent') this.agents.add(id);
  }
}

describe('planEnrolments, over any history', () => {
  it('never goes over the cap of any minute, nor over the attempts at a time, of any block', () => {
    fc.assert(
      fc.property(fleet, limits, steps, (candidates, limit, history) => {
        const world = new World();
        for (const { passMs, outcomes } of history) {
          world.now += passMs;
          const ids = world.step(candidates, limit);
          for (const block of [0, 1, 2]) {
            const under = [...world.book.tries.values()].filter((one) => one.block === block);
            const inFlight = under.filter(({ standing }) =>
              ['claimed', 'commanded', 'carried-out'].includes(standing.phase),
            );
            expect(inFlight.length).toBeLessThanOrEqual(limit.maxInFlight);
          }
          for (const [index, id] of ids.entries())
            world.settle(id, outcomes[index % outcomes.length] ?? 'lost');
        }
        for (const block of [0, 1, 2]) {
          const times = world.begun.filter((one) => one.block === block).map(({ at }) => at);
          for (const at of times) {
            const inWindow = times.filter((other) => other >= at && other <= at + MINUTE);
            expect(inWindow.length).toBeLessThanOrEqual(limit.capPerMinute);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('never begins what is under way, has an agent, or does not run', () => {
    fc.assert(
      fc.property(fleet, limits, steps, (candidates, limit, history) => {
        const world = new World();
        const stopped = new Set(
          candidates.flatMap(({ key, state }) => (state === 'stopped' ? [instanceKeyText(key)] : [])),
        );
        const underWay = new Set<string>();
        for (const { passMs, outcomes } of history) {
          world.now += passMs;
          for (const id of world.book.expire(world.now)) underWay.delete(id);
          const ids = world.step(candidates, limit);
          expect(new Set(ids).size).toBe(ids.length);
          for (const [index, id] of ids.entries()) {
            expect([underWay.has(id), world.agents.has(id), stopped.has(id)]).toEqual([false, false, false]);
            const outcome = outcomes[index % outcomes.length] ?? 'lost';
            if (outcome === 'lost' || outcome === 'no agent' || outcome === 'agent') underWay.add(id);
            world.settle(id, outcome);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('tries every instance sooner or later, also when all others fail again and again', () => {
    fc.assert(
      fc.property(fleet, limits, (candidates, limit) => {
        const world = new World();
        const running = candidates.filter(({ state }) => state === 'running');
        for (let minute = 0; minute <= running.length * 12; minute += 1) {
          world.now += COMMAND_MS + ARRIVAL_MS;
          for (const id of world.step(candidates, limit)) world.settle(id, 'failed');
        }
        expect(new Set(world.begun.map(({ id }) => id)).size).toBe(running.length);
      }),
      { numRuns: 20 },
    );
  });

  it('goes by nothing but what it is told: the order of the candidates is irrelevant', () => {
    fc.assert(
      fc.property(
        fleet.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        limits,
        ([candidates, shuffled], limit) => {
          const plan = (of: readonly EnrolmentCandidate[]) =>
            planEnrolments(new EnrolmentBook(), factsOf(of, { limits: () => limit }), BEGAN).begin;
          expect(plan(shuffled)).toEqual(plan(candidates));
        },
      ),
    );
  });
});

import { instanceKeyText } from '@tagplane/identity';
import { MINUTE } from '@tagplane/runtime';
import type { EnrolmentCandidate } from './facts.ts';
import type { EnrolmentState } from './plan.ts';
import { Starts } from './starts.ts';
import { enrolmentBackoff, isInFlight } from './tries.ts';
import type { Standing, Tries } from './tries.ts';
import { REASONS } from './view.ts';

/** Time for SSM to hand the command to an instance that is online. */
export const DELIVERY_MS = 2 * MINUTE;
/** Time for the installer: a download of 50 MB and a start. */
export const EXECUTION_MS = 7 * MINUTE;
/** Time for the agent to join after the installer succeeded. */
export const ARRIVAL_MS = 10 * MINUTE;
/** SSM marks an execution that took too long some seconds after. */
const GRACE_MS = MINUTE;
/** A command that has said nothing by then says nothing more. */
export const COMMAND_MS = DELIVERY_MS + EXECUTION_MS + GRACE_MS;
/** How long a claim and its token are good for: one whole attempt, 20 min. */
export const CLAIM_MS = COMMAND_MS + ARRIVAL_MS;

/** An attempt whose command is under way. */
export interface Commanded {
  readonly id: string;
  readonly commandId: string;
}

/**
 * What was tried, and what became of it: the changes between the plans. No I/O. What is told of an attempt
 * that is not in the phase for it is ignored, since it ended meanwhile.
 */
export class EnrolmentBook implements EnrolmentState {
  readonly tries = new Map<string, Tries>();
  readonly starts = new Starts();
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Attempts under way. */
  get inFlight(): number {
    return this.tries.values().reduce((sum, tries) => sum + Number(isInFlight(tries)), 0);
  }

  /** Attempts whose agent is awaited. */
  get awaited(): number {
    return this.tries
      .values()
      .reduce((sum, { standing }) => sum + Number(standing.phase === 'carried-out'), 0);
  }

  /** What was recorded before this process began. */
  recall(id: string, tries: Tries): void {
    this.tries.set(id, tries);
  }

  /** Their turn has come. */
  begin(candidates: readonly EnrolmentCandidate[], now: number): void {
    for (const { key, block } of candidates) {
      const id = instanceKeyText(key);
      const attempts = (this.tries.get(id)?.attempts ?? 0) + 1;
      this.tries.set(id, { block, attempts, standing: { phase: 'claimed', since: now } });
      this.starts.record(block, now);
    }
  }

  /** It came to nothing, for a reason that is not the instance's: no attempt, and due again later. */
  postpone(id: string, reason: string, since: number): void {
    const tries = this.#in(id, 'claimed');
    if (tries === undefined) return;
    const attempts = tries.attempts - 1;
    this.tries.set(id, { ...tries, attempts, standing: { phase: 'due', since, reason } });
  }

  /** SSM took the command. */
  commanded(id: string, commandId: string, now: number): void {
    this.#step(id, 'claimed', { phase: 'commanded', commandId, until: now + COMMAND_MS });
  }

  /** The installer succeeded. */
  carriedOut({ id, commandId }: Commanded, now: number): void {
    this.#step(id, 'commanded', { phase: 'carried-out', commandId, until: now + ARRIVAL_MS });
  }

  /** The attempt failed, and why. */
  failed(id: string, reason: string, now: number): void {
    const tries = this.tries.get(id);
    if (tries === undefined || !isInFlight(tries)) return;
    const commandId = 'commandId' in tries.standing ? tries.standing.commandId : '';
    const retryAt = now + enrolmentBackoff(tries.attempts, this.#random);
    this.tries.set(id, { ...tries, standing: { phase: 'failed', reason, commandId, retryAt } });
  }

  /** Ends what has taken too long. @returns the instances whose attempts have failed by that */
  expire(now: number): string[] {
    const over = [...this.tries].filter(([, { standing }]) => 'until' in standing && standing.until <= now);
    for (const [id, { standing }] of over) {
      this.failed(id, standing.phase === 'commanded' ? REASONS.noAnswer : REASONS.neverCame, now);
    }
    return over.map(([id]) => id);
  }

  /** Instances that are no more, or have an agent. */
  forget(ids: Iterable<string>): void {
    for (const id of ids) this.tries.delete(id);
  }

  /** Commands under way, with the instances they went to. */
  commands(): Map<string, string[]> {
    const commands = new Map<string, string[]>();
    for (const [id, { standing }] of this.tries) {
      if (standing.phase !== 'commanded') continue;
      const ids = commands.get(standing.commandId);
      if (ids === undefined) commands.set(standing.commandId, [id]);
      else ids.push(id);
    }
    return commands;
  }

  #step(id: string, from: Standing['phase'], standing: Standing): void {
    const tries = this.#in(id, from);
    if (tries !== undefined) this.tries.set(id, { ...tries, standing });
  }

  #in(id: string, phase: Standing['phase']): Tries | undefined {
    const tries = this.tries.get(id);
    return tries?.standing.phase === phase ? tries : undefined;
  }
}

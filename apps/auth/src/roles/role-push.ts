import type { ControlStreamResponse, Signature } from '@tagplane/protocol';
import { sleep } from '@tagplane/runtime';
import type { RolesChange } from '@tagplane/session';
import { createGate } from '../control/wakeup.ts';
import type { RoleSource } from './create-roles.ts';
import { RoleUpdates } from './role-messages.ts';
import type { RoleSet } from './role-sets.ts';

/** Who is to be told which roles there are. */
export interface RoleReceiver {
  /** These are the roles that it should have. Must not throw. */
  want(set: RoleSet, knows: (base: string) => boolean): void;
}

export interface RolePushOptions {
  readonly roles: RoleSource;
  /** Work in one turn before the event loop has its own, and the pause after it. Default 2 ms each. */
  readonly turnMs?: number;
  /** Sent and not answered. Default 64 MiB. */
  readonly window?: number;
}

/** An edit that 10,000 agents are to be sent takes half of one core for a second, and nobody waits for it. */
const TURN_MS = 2;
/** Updates of 1 MiB for 10,000 agents must not be in memory at once; 64 of them may. */
const WINDOW = 64 * 1_024 * 1_024;
/** Looking at the clock costs about as much as telling a receiver that has what it should have. */
const CLOCK_EVERY = 8;

/**
 * Tells every stream, one after the other, which roles its agent should have. A stream waits at most once, and
 * is told of the latest set when its turn comes, however many there were meanwhile.
 */
export class RolePush {
  readonly #roles: RoleSource;
  readonly #turnMs: number;
  readonly #window: number;
  readonly #waiting = new Set<RoleReceiver>();
  /** Bytes that each is yet to answer. */
  readonly #sent = new Map<RoleReceiver, number>();
  readonly #gate = createGate();
  readonly #knows = (base: string): boolean => this.#roles.get(base) !== undefined;
  #sentBytes = 0;
  #updates: RoleUpdates | undefined;

  constructor({ roles, turnMs = TURN_MS, window = WINDOW }: RolePushOptions) {
    this.#roles = roles;
    this.#turnMs = turnMs;
    this.#window = window;
  }

  get length(): number {
    return this.#waiting.size;
  }

  /** It is told when its turn comes, and once it is known which roles there are. */
  ask(receiver: RoleReceiver): void {
    this.#waiting.add(receiver);
    this.#gate.open();
  }

  /** It is gone, or needs not be told any more. */
  forget(receiver: RoleReceiver): void {
    this.#waiting.delete(receiver);
    this.answered(receiver);
  }

  /** What it was sent last is answered, or will not be. */
  answered(receiver: RoleReceiver): void {
    const bytes = this.#sent.get(receiver);
    if (bytes === undefined) return;
    this.#sent.delete(receiver);
    this.#sentBytes -= bytes;
    this.#gate.open();
  }

  /** The update that leads this receiver to the set which it was just told of. */
  update(
    receiver: RoleReceiver,
    nonce: string,
    set: RoleSet,
    change: RolesChange,
    signature: Signature | undefined,
  ): ControlStreamResponse {
    const updates = this.#updates?.set === set ? this.#updates : new RoleUpdates(set);
    this.#updates = updates;
    const base = change.kind === 'apply' ? this.#roles.get(change.base) : undefined;
    const { message, bytes } = updates.message(nonce, change, base, signature);
    this.answered(receiver);
    this.#sent.set(receiver, bytes);
    this.#sentBytes += bytes;
    return message;
  }

  /** Tells until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    using _ = this.#roles.onChange(() => {
      this.#gate.open();
    });
    for (;;) {
      await this.#gate.passed(signal);
      while (this.#turn()) await sleep(this.#turnMs, signal);
    }
  }

  /** Whether there is more to be done now. */
  #turn(): boolean {
    const end = performance.now() + this.#turnMs;
    let count = 0;
    for (const receiver of this.#waiting) {
      const set = this.#roles.current;
      if (set === undefined || this.#sentBytes >= this.#window) return false;
      if (count % CLOCK_EVERY === CLOCK_EVERY - 1 && performance.now() >= end) return true;
      count += 1;
      this.#waiting.delete(receiver);
      receiver.want(set, this.#knows);
    }
    return false;
  }
}

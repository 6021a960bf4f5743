import type { SignedStatement } from '@tagplane/credentials';
import type { Logger } from '@tagplane/runtime';
import type { ClockReading } from '@tagplane/session';
import type { Clock } from './clock.ts';
import { messageOf } from './errors.ts';
import type { Checked, StatementTrust } from './statements.ts';

/** Where what an agent holds outlives the process. */
export interface StateStore<Held> {
  /**
   * Resolves when it is safe; rejects when that cannot be had.
   *
   * @param signed the auth service's word for it, if there is one
   */
  write(held: Held, signed: SignedStatement | undefined): Promise<void>;
  /** Forgets what was written. */
  clear(): Promise<void>;
}

/** Whether the auth service signs what it sends, and by what that is known. */
export type Vouching =
  /** Without TLS nobody does. */
  | { readonly signed: false }
  /** The trust is undefined as long as there are no credentials. */
  | { readonly signed: true; readonly trust: StatementTrust | undefined };

export interface StateHolderOptions<Held> {
  readonly store: StateStore<Held>;
  /** What the disk had. */
  readonly held: Held | undefined;
  readonly clock: Clock;
  /** For whom the agent speaks at this moment, and who vouches for what it is sent. */
  readonly holder: () => { readonly serverId: string; readonly vouching: Vouching };
  readonly log: Logger;
}

/** What becomes of an update. */
export type StatePlan<Held> =
  { readonly kind: 'accept'; readonly held: Held } | { readonly kind: 'refuse'; readonly reason: string };

/** What an agent holds from the auth service: on disk first, then in force, whole or not at all. */
export abstract class StateHolder<Held, Update> {
  protected readonly options: StateHolderOptions<Held>;
  protected held: Held | undefined;
  protected source: 'stream' | 'disk' = 'disk';
  #changes = 0;
  /** Rises when what is held turns out to be another server's. */
  #owners = 0;

  constructor(options: StateHolderOptions<Held>) {
    this.options = options;
    this.held = options.held;
  }

  /** Rises with each change of what is held. */
  get changes(): number {
    return this.#changes;
  }

  /**
   * Makes an update take effect, whole or not at all.
   *
   * @param signed what came with it
   * @returns why it did not, for a person; what was held before then still stands
   */
  async apply(update: Update, signed?: SignedStatement): Promise<string | undefined> {
    const owner = this.#owners;
    const plan = this.plan(update, this.options.clock());
    const problem = plan.kind === 'refuse' ? plan.reason : this.#signatureProblem(plan.held, signed);
    if (plan.kind === 'refuse' || problem !== undefined) {
      this.refused(update, problem ?? '');
      return problem;
    }
    try {
      await this.options.store.write(plan.held, signed);
    } catch (error) {
      this.notWritten(update, error);
      return `the update could not be written to disk: ${messageOf(error)}`;
    }
    if (owner !== this.#owners) return 'the agent speaks for another server by now';
    this.held = plan.held;
    this.#changes += 1;
    this.source = 'stream';
    this.applied(update, plan.held);
    return undefined;
  }

  /** Drops everything held: it was meant for another server. */
  async discard(): Promise<void> {
    this.#owners += 1;
    this.held = undefined;
    this.#changes += 1;
    this.dropped();
    try {
      await this.options.store.clear();
    } catch (error) {
      // The file says whose it is: nobody else will take it from there.
      this.options.log.error({ event: 'state_not_cleared', err: error });
    }
  }

  /** An older auth service signs nothing: what it sends is as good as the connection, and is not for the disk. */
  #signatureProblem(held: Held, signed: SignedStatement | undefined): string | undefined {
    const { serverId, vouching } = this.options.holder();
    if (!vouching.signed || signed === undefined) return undefined;
    if (vouching.trust === undefined) return 'there are no credentials to check its signature by';
    const checked = this.check(signed, { serverId, held }, vouching.trust);
    return checked.ok ? undefined : checked.problem;
  }

  protected abstract plan(update: Update, now: ClockReading): StatePlan<Held>;
  protected abstract check(
    signed: SignedStatement,
    about: { readonly serverId: string; readonly held: Held },
    trust: StatementTrust,
  ): Checked<unknown>;
  protected abstract applied(update: Update, held: Held): void;
  protected abstract refused(update: Update, reason: string): void;
  protected abstract notWritten(update: Update, error: unknown): void;
  /** What is held is no more. */
  protected abstract dropped(): void;
}

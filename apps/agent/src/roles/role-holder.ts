import { compileRoles } from '@tagplane/access';
import type { CompiledRoles } from '@tagplane/access';
import type { SignedStatement } from '@tagplane/credentials';
import { formatDuration } from '@tagplane/runtime';
import { planRolesUpdate, rolesRemainingMs } from '@tagplane/session';
import type { ClockReading, HeldRoles, OfferedRoles } from '@tagplane/session';
import type { RolesInForce } from '../decide/decider.ts';
import { StateHolder } from '../state-holder.ts';
import type { StateHolderOptions, StatePlan, StateStore } from '../state-holder.ts';
import { checkRoles } from '../statements.ts';
import type { Checked, StatementTrust } from '../statements.ts';
import { sharedRoles } from './shared-roles.ts';

/** Where roles outlive the process. */
export type RoleStore = StateStore<HeldRoles>;

/** What an agent holds, as of now. */
export interface RolesView {
  readonly revision: string;
  readonly source: 'stream' | 'disk' | 'none';
  /** How many. */
  readonly count: number;
  /** Milliseconds; 0: they count no more; undefined: there are none. */
  readonly remainingMs: number | undefined;
}

/** The roles from the auth service. */
export class RoleHolder extends StateHolder<HeldRoles, OfferedRoles> {
  readonly #isAsked: boolean;
  #compiled: CompiledRoles | undefined;

  /** @param isAsked whether anybody can ask: then roles are compiled before the first does */
  constructor(options: StateHolderOptions<HeldRoles>, isAsked: boolean) {
    super(options);
    this.#isAsked = isAsked;
    if (isAsked && options.held !== undefined) this.#compiled = compileRoles(options.held.roles);
  }

  view(): RolesView {
    const { held } = this;
    if (held === undefined) return NOTHING_HELD;
    return {
      revision: held.revision,
      source: this.source,
      count: held.roles.length,
      remainingMs: rolesRemainingMs(held, this.options.clock()),
    };
  }

  /** @param refused why those on the disk were not taken; undefined: they were, or there were none */
  inForce(refused: string | undefined): RolesInForce {
    const { held } = this;
    if (held === undefined) {
      const why = refused === undefined ? '' : `: those on its disk were refused, ${refused}`;
      return { kind: 'none', reason: `this agent holds no roles yet${why}` };
    }
    const remainingMs = rolesRemainingMs(held, this.options.clock());
    if (remainingMs <= 0) {
      const reason = 'its roles count no more: the auth service has not renewed them in time';
      return { kind: 'none', reason };
    }
    this.#compiled ??= compileRoles(held.roles);
    return { kind: 'held', roles: this.#compiled };
  }

  protected override plan(update: OfferedRoles, now: ClockReading): StatePlan<HeldRoles> {
    const plan = planRolesUpdate(this.held, update, now);
    if (plan.kind === 'refuse') return plan;
    const { held } = plan;
    return { kind: 'accept', held: { ...held, roles: sharedRoles(held.revision, held.roles) } };
  }

  protected override check(
    signed: SignedStatement,
    { held }: { readonly held: HeldRoles },
    trust: StatementTrust,
  ): Checked<unknown> {
    return checkRoles(signed, held, trust);
  }

  protected override applied({ change }: OfferedRoles, { revision, roles, remainingMs }: HeldRoles): void {
    const renewed = change.kind === 'renew';
    if (!renewed) this.#compiled = this.#isAsked ? compileRoles(roles) : undefined;
    const event = renewed ? 'roles_renewed' : 'roles_replaced';
    this.options.log.info({ event, revision, roles: roles.length, counts_for: formatDuration(remainingMs) });
  }

  protected override refused({ change: { kind }, revision }: OfferedRoles, reason: string): void {
    this.options.log.warn({ event: 'roles_refused', kind, revision, reason });
  }

  protected override notWritten({ change: { kind }, revision }: OfferedRoles, err: unknown): void {
    this.options.log.error({ event: 'roles_not_written', kind, revision, err });
  }

  protected override dropped(): void {
    this.#compiled = undefined;
  }
}

const NOTHING_HELD: RolesView = { revision: '', source: 'none', count: 0, remainingMs: undefined };

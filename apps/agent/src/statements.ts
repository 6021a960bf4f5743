import { verifyStatement } from '@tagplane/credentials';
import type {
  AuthStatement,
  LabelsStatement,
  RolesStatement,
  SignedStatement,
  TrustBundle,
} from '@tagplane/credentials';
import { MINUTE } from '@tagplane/runtime';
import { rebase } from '@tagplane/session';
import type { ClockReading, HeldLabels } from '@tagplane/session';

/** By what the auth service's word is known; undefined: without TLS, or not yet. */
export type StatementTrust = Pick<TrustBundle, 'cluster' | 'authorities'>;

/** What was checked. The problem is for a person. */
export type Checked<Statement> =
  { readonly ok: true; readonly statement: Statement } | { readonly ok: false; readonly problem: string };

/** The auth service's clock and this machine's may differ by this much before labels count for less. */
const SKEW_MS = 10 * MINUTE;

/**
 * Whether the auth service said of these labels that this server should have them.
 *
 * @param now Unix milliseconds, for one that was kept; undefined for one just received
 */
export function checkLabels(
  signed: SignedStatement,
  about: { readonly serverId: string; readonly held: HeldLabels },
  trust: StatementTrust,
  now?: number,
): Checked<LabelsStatement> {
  const checked = check(signed, trust, now);
  if (!checked.ok) return checked;
  const { statement } = checked;
  if (statement.kind !== 'labels') return refused('the signature is not for labels');
  if (statement.serverId !== about.serverId) return refused('the signature is for another server');
  if (statement.revision !== about.held.revision) return refused('the signature is for other labels');
  const unsaid = about.held.sets.find(({ namespace }) => !statement.lifetimes.has(namespace));
  if (unsaid !== undefined) return refused(`the signature says nothing of ${unsaid.namespace}`);
  return { ok: true, statement };
}

/** Whether the auth service said that these are the roles. */
export function checkRoles(
  signed: SignedStatement,
  about: { readonly revision: string },
  trust: StatementTrust,
  now?: number,
): Checked<RolesStatement> {
  const checked = check(signed, trust, now);
  if (!checked.ok) return checked;
  const { statement } = checked;
  if (statement.kind !== 'roles') return refused('the signature is not for roles');
  if (statement.revision !== about.revision) return refused('the signature is for other roles');
  return { ok: true, statement };
}

/** The labels as of now, with no more life than the statement leaves them, and no younger. */
export function limitLabels(held: HeldLabels, statement: LabelsStatement, now: ClockReading): HeldLabels {
  const passed = passedMs(statement, now);
  const sets = rebase(held, now).sets.map((set) => {
    const stated = statement.lifetimes.get(set.namespace);
    return {
      ...set,
      ageMs: stated?.ageMs === undefined ? set.ageMs : Math.max(set.ageMs ?? 0, stated.ageMs + passed),
      remainingMs: least(set.remainingMs, stated?.remainingMs, passed),
    };
  });
  return { ...held, sets, asOf: now };
}

/** Milliseconds that the roles may still count, by the statement. */
export function limitRoles(remainingMs: number, statement: RolesStatement, now: ClockReading): number {
  return least(remainingMs, statement.remainingMs, passedMs(statement, now)) ?? 0;
}

/** Milliseconds since the statement was issued; what the clocks may differ by is left out. */
function passedMs({ issuedAt }: AuthStatement, { wallMs }: ClockReading): number {
  return Math.max(0, wallMs - issuedAt - SKEW_MS);
}

function least(own: number | undefined, stated: number | undefined, passed: number): number | undefined {
  if (stated === undefined) return own;
  const left = Math.max(0, stated - passed);
  return own === undefined ? left : Math.min(own, left);
}

function check(
  signed: SignedStatement,
  trust: StatementTrust,
  now: number | undefined,
): Checked<AuthStatement> {
  const { cluster } = trust;
  const verified = verifyStatement(signed, { cluster, trust, ...(now === undefined ? {} : { now }) });
  return verified.ok ? verified : refused(`its signature: ${verified.problem}`);
}

function refused(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem };
}

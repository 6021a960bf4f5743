import { instanceKeyText } from '@tagplane/identity';
import type { InstanceRecord, NameRecord } from './record-codec.ts';
import type { JoinRole } from './roles.ts';
import type { Proven, Refusal } from './verifier.ts';
import { denied } from './verifier.ts';

/** Who wants a name, with what proof. */
export interface Applicant {
  readonly role: JoinRole;
  /** Empty: none in particular. */
  readonly name: string;
  readonly proven: Pick<Proven, 'instance' | 'name' | 'principal' | 'once'>;
}

/** The name to try for; `held`: the one that the instance had before. */
export type WantedName =
  { readonly ok: true; readonly name: string; readonly from: 'asked' | 'held' | 'new' } | Refusal;

/**
 * Which name the applicant is to have: the proof's own, the one asked for, the one that its instance had
 * before, or, for an agent, a new one.
 */
export function wantedName(
  applicant: Applicant,
  instanceRecord: InstanceRecord | undefined,
  newName: () => string,
): WantedName {
  const { role, proven } = applicant;
  if (proven.once === true && instanceRecord !== undefined) {
    return denied('the instance has joined before: an operator may reset that', {
      first_address: instanceRecord.remoteAddress,
      ...(proven.instance === undefined ? {} : { instance: instanceKeyText(proven.instance) }),
    });
  }
  const asked = proven.name ?? applicant.name;
  if (asked !== '') return { ok: true, name: asked, from: 'asked' };
  if (instanceRecord !== undefined) return { ok: true, name: instanceRecord.name, from: 'held' };
  if (role === 'agent') return { ok: true, name: newName(), from: 'new' };
  return denied(`a name is required to join as ${role}`);
}

/** Whether the applicant may have a name that this record says is another's, or its own from before. */
export function mayTake(name: string, record: NameRecord, { role, proven }: Applicant): boolean {
  if (proven.name === name) return true;
  if (role === 'agent') {
    if (proven.instance === undefined || record.instance === undefined) return false;
    return instanceKeyText(proven.instance) === instanceKeyText(record.instance);
  }
  return proven.principal !== undefined && proven.principal === record.principal;
}

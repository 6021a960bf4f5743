import type { SignedStatement } from '@tagplane/credentials';
import { instanceKeyText } from '@tagplane/identity';
import { rolesRemainingMs } from '@tagplane/session';
import type { ClockReading, HeldLabels, HeldRoles } from '@tagplane/session';
import { decodeLabels, encodeLabels } from '../disk-codec.ts';
import type { LabelOwner } from '../disk-codec.ts';
import { decodeRoles, encodeRoles } from '../roles/role-codec.ts';
import type { StateStore, Vouching } from '../state-holder.ts';
import { checkLabels, checkRoles, limitLabels, limitRoles } from '../statements.ts';
import type { Checked, StatementTrust } from '../statements.ts';
import type { SealedFiles, StateKind } from './sealed-files.ts';

/** Who reads what was kept, and by what it is known to be the auth service's word. */
export interface Reader {
  readonly owner: LabelOwner;
  readonly vouching: Vouching;
  readonly now: ClockReading;
}

/** The labels on disk, if the auth service said them to this reader; else they are moved aside. */
export function readLabels(files: SealedFiles, reader: Reader): Promise<HeldLabels | undefined> {
  return files.read('labels', (content) => {
    const { owner, held, signed } = decodeLabels(content);
    refuseOthers(owner, reader.owner);
    const statement = vouched(signed, reader, (word, trust, now) =>
      checkLabels(word, { serverId: owner.serverId, held }, trust, now),
    );
    return statement === undefined ? held : limitLabels(held, statement, reader.now);
  });
}

/** The same of roles. */
export function readRoles(files: SealedFiles, reader: Reader): Promise<HeldRoles | undefined> {
  return files.read('roles', (content) => {
    const { owner, held, signed } = decodeRoles(content);
    refuseOthers(owner, reader.owner);
    const statement = vouched(signed, reader, (word, trust, now) => checkRoles(word, held, trust, now));
    if (statement === undefined) return held;
    const remainingMs = limitRoles(rolesRemainingMs(held, reader.now), statement, reader.now);
    return { ...held, remainingMs, asOf: reader.now };
  });
}

export function labelStore(files: SealedFiles, owner: () => LabelOwner): StateStore<HeldLabels> {
  return store(files, 'labels', owner, encodeLabels);
}

export function roleStore(files: SealedFiles, owner: () => LabelOwner): StateStore<HeldRoles> {
  return store(files, 'roles', owner, encodeRoles);
}

function store<Held>(
  files: SealedFiles,
  kind: StateKind,
  owner: () => LabelOwner,
  encode: (stored: {
    readonly owner: LabelOwner;
    readonly held: Held;
    readonly signed: SignedStatement | undefined;
  }) => unknown,
): StateStore<Held> {
  return {
    // Whose it is is known now; when its turn comes, the agent may be another.
    write: (held, signed) => files.write(kind, encode({ owner: owner(), held, signed })),
    clear: () => files.clear(kind),
  };
}

/** @throws Error saying that it is not the reader's */
function refuseOthers(stored: LabelOwner, owner: LabelOwner): void {
  const moved =
    stored.instance !== undefined &&
    owner.instance !== undefined &&
    instanceKeyText(stored.instance) !== instanceKeyText(owner.instance);
  if (stored.serverId !== owner.serverId || moved) throw new Error('it was kept for another server');
}

/** @throws Error saying why it is not known to be the auth service's word */
function vouched<Statement>(
  signed: SignedStatement | undefined,
  { vouching, now }: Reader,
  check: (signed: SignedStatement, trust: StatementTrust, now: number) => Checked<Statement>,
): Statement | undefined {
  if (!vouching.signed) return undefined;
  if (signed === undefined) throw new Error('the auth service has not signed it');
  if (vouching.trust === undefined) throw new Error('there are no credentials to check its signature by');
  const checked = check(signed, vouching.trust, now.wallMs);
  if (!checked.ok) throw new Error(checked.problem);
  return checked.statement;
}

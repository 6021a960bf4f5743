import type { Labels } from '@tagplane/labels';
import type { Wanted } from '@tagplane/session';

/** What becomes of the labels that a node should have from the auth service. */
export interface NodeChange {
  readonly gained: Labels;
  /** With their values now. */
  readonly lost: Labels;
  /** With their values then. */
  readonly changed: Labels;
}

/** Undefined: nothing; also where nobody can say what the node should have. */
export function changeBetween(before: Wanted, after: Wanted): NodeChange | undefined {
  if (before.state === 'keep' || after.state === 'keep') return undefined;
  if (before.version.revision === after.version.revision) return undefined;
  const now = labelsOf(before);
  const then = labelsOf(after);
  const gained = new Map<string, string>();
  const lost = new Map<string, string>();
  const changed = new Map<string, string>();
  for (const [key, value] of now) if (!then.has(key)) lost.set(key, value);
  for (const [key, value] of then) {
    const known = now.get(key);
    if (known === undefined) gained.set(key, value);
    else if (known !== value) changed.set(key, value);
  }
  return { gained, lost, changed };
}

/** Whether labels are taken away or changed: what is only gained counts for nothing with the guard. */
export function takesAway({ lost, changed }: NodeChange): boolean {
  return lost.size + changed.size > 0;
}

function labelsOf({ sets }: Extract<Wanted, { state: 'known' }>): Labels {
  return new Map([...(sets['aws/']?.labels ?? []), ...(sets['dynamic/']?.labels ?? [])]);
}

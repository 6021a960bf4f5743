import type { InstanceKey } from '@tagplane/identity';
import { instanceKeyText } from '@tagplane/identity';
import type { Labels } from '@tagplane/labels';
import { labelsRevision } from '@tagplane/labels';

/** What the node says of itself, and what it holds. */
export interface Report {
  readonly hostname: string;
  readonly ownLabels: Labels;
  /** Under `aws/`, from instance metadata. */
  readonly importedLabels: Labels;
  readonly instance: InstanceKey | undefined;
  /** Empty for none. */
  readonly heldRevision: string;
  /** Milliseconds; undefined when nothing held expires. */
  readonly heldRemainingMs: number | undefined;
  /** Empty for none. */
  readonly heldRolesRevision: string;
  /** Milliseconds; undefined when there are none. */
  readonly heldRolesRemainingMs: number | undefined;
  /** Of the trust bundle held; 0 for none. */
  readonly trustGeneration: number;
}

/**
 * Equal for two reports that need no heartbeat between them: what is held is the auth service's own
 * word, unless it has run out meanwhile.
 */
export function fingerprint(report: Report): string {
  return JSON.stringify([
    report.hostname,
    labelsRevision(report.ownLabels),
    labelsRevision(report.importedLabels),
    report.instance === undefined ? '' : instanceKeyText(report.instance),
    hasRunOut(report),
    report.heldRolesRemainingMs !== undefined && report.heldRolesRemainingMs <= 0,
  ]);
}

/** Whether some of what is held counts no more. */
export function hasRunOut(report: Report): boolean {
  return report.heldRemainingMs !== undefined && report.heldRemainingMs <= 0;
}

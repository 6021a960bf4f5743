import { instanceKeyText } from '@tagplane/identity';
import type { InstanceKey } from '@tagplane/identity';
import {
  MAX_LABELS_PER_NAMESPACE,
  MAX_SYSTEM_LABELS,
  awsLabelKey,
  isSystemLabel,
  labelProblem,
  labelsRevision,
  sortedEntries,
} from '@tagplane/labels';
import type { Labels } from '@tagplane/labels';
import { discoveredName, parseDiscoveredName } from './names.ts';
import { packLabels, unpackLabels } from './pack.ts';
import { clipRejected } from './rejected.ts';
import type { ServerInfoDraft } from './server-info.ts';

/** An instance as a scan described it. */
export interface DescribedInstance {
  readonly key: InstanceKey;
  /** EC2's word for it. Only `terminated` is final; `shutting-down` still has its tags. */
  readonly state: 'pending' | 'running' | 'stopping' | 'stopped' | 'shutting-down' | 'terminated';
  /** By EC2's own tag key. */
  readonly tags: Labels;
}

/** A tag that no label can carry. */
export interface RejectedTag {
  /** `account/region/instance`. */
  readonly instance: string;
  readonly key: string;
  /** For a person; never the value. */
  readonly reason: string;
}

/** What is kept of an instance between scans: its labels packed, about half a kilobyte for 14 tags. */
export interface FoundInstance {
  /** Name of its ServerInfo. */
  readonly name: string;
  readonly terminated: boolean;
  /** `labelsRevision` of its labels. */
  readonly revision: string;
  readonly packedLabels: string;
  /** Unix milliseconds: when EC2 was asked. */
  readonly observedAt: number;
  readonly rejected: readonly RejectedTag[];
}

const NOTHING_REJECTED: readonly RejectedTag[] = [];

/**
 * Turns a described instance into its ServerInfo's content. Tags that cannot be carried are listed in
 * `rejected`; the others go on. Of more than a namespace holds (AWS's own tags are counted apart), the
 * last in key order are rejected, so that every scan rejects the same ones.
 *
 * @param previous what the scan before made of this instance: its texts are shared, not kept twice
 */
export function observeInstance(
  described: DescribedInstance,
  observedAt: number,
  previous?: FoundInstance,
): FoundInstance {
  const { labels, rejected } = carryTags(described);
  const packedLabels = packLabels(labels);
  const content =
    previous?.packedLabels === packedLabels
      ? previous
      : { name: discoveredName(described.key), revision: labelsRevision(labels), packedLabels };
  return {
    name: content.name,
    terminated: described.state === 'terminated',
    revision: content.revision,
    packedLabels: content.packedLabels,
    observedAt,
    rejected,
  };
}

/** The draft to send now, with the time to live drawn for this one write. */
export function draftOf(found: FoundInstance, ttlMs: number): ServerInfoDraft {
  const instance = parseDiscoveredName(found.name);
  if (instance === undefined) throw new TypeError(`no discovered name: ${found.name}`);
  return {
    name: found.name,
    match: { kind: 'aws-instance', instance },
    labels: unpackLabels(found.packedLabels),
    observedAt: found.observedAt,
    ttlMs,
    ...(found.rejected.length === 0 ? {} : { rejected: clipRejected(found.rejected) }),
  };
}

function carryTags(described: DescribedInstance): { labels: Labels; rejected: readonly RejectedTag[] } {
  const labels = new Map<string, string>();
  const rejected: RejectedTag[] = [];
  const reject = (key: string, reason: string): void => {
    rejected.push({ instance: instanceKeyText(described.key), key, reason });
  };
  const room = { user: MAX_LABELS_PER_NAMESPACE, system: MAX_SYSTEM_LABELS };
  for (const [tagKey, value] of inOrder(described.tags)) {
    const key = awsLabelKey(tagKey);
    const kind = isSystemLabel(key) ? 'system' : 'user';
    const problem = labelProblem(key, value);
    if (problem !== undefined) reject(tagKey, problem);
    else if (room[kind] === 0) reject(tagKey, 'the instance has more tags than labels are kept');
    else {
      labels.set(key, value);
      room[kind] -= 1;
    }
  }
  return { labels, rejected: rejected.length === 0 ? NOTHING_REJECTED : rejected };
}

/** Sorted only where some may have to stay behind. */
function inOrder(tags: Labels): Iterable<[string, string]> {
  return tags.size <= MAX_SYSTEM_LABELS ? tags : sortedEntries(tags);
}

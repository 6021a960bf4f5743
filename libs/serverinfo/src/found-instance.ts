import type { InstanceKey } from '@tagplane/identity';
import { labelsRevision } from '@tagplane/labels';
import type { Labels } from '@tagplane/labels';
import { carryAll } from './carry-rules.ts';
import type { Carry } from './carry-rules.ts';
import { discoveredName, parseDiscoveredName } from './names.ts';
import { packLabels, unpackLabels } from './pack.ts';
import { clipRejected } from './rejected.ts';
import type { RejectedKey, ServerInfoDraft } from './server-info.ts';

/** EC2's words for it. Only `terminated` is final; `shutting-down` still has its tags. */
export type FoundState = 'pending' | 'running' | 'stopping' | 'stopped' | 'shutting-down' | 'terminated';

export type FoundPlatform = 'linux' | 'windows';

/** An instance as a scan described it. */
export interface DescribedInstance {
  readonly key: InstanceKey;
  readonly state: FoundState;
  /** By EC2's own tag key. */
  readonly tags: Labels;
  /** Default linux. */
  readonly platform?: FoundPlatform;
}

/** What is kept of an instance between scans: its labels packed, about half a kilobyte for 14 tags. */
export interface FoundInstance {
  /** Name of its ServerInfo. */
  readonly name: string;
  readonly state: FoundState;
  readonly platform: FoundPlatform;
  /** `labelsRevision` of its labels. */
  readonly revision: string;
  readonly packedLabels: string;
  /** Unix milliseconds: when EC2 was asked. */
  readonly observedAt: number;
  /** Tags that no label carries; equal lists are one. */
  readonly rejected: readonly RejectedKey[];
}

export interface ObserveOptions {
  /** What the scan before made of this instance: its texts are shared, not kept twice. */
  readonly previous?: FoundInstance | undefined;
  /** Default: every tag, under its own name. */
  readonly carry?: Carry;
}

/**
 * Turns a described instance into its ServerInfo's content. Tags that cannot be carried are listed in
 * `rejected`; the others go on.
 *
 * @param observedAt Unix milliseconds: when EC2 was asked
 */
export function observeInstance(
  described: DescribedInstance,
  observedAt: number,
  { previous, carry = carryAll }: ObserveOptions = {},
): FoundInstance {
  const { labels, rejected } = carry(described.tags);
  const packedLabels = packLabels(labels);
  const content =
    previous?.packedLabels === packedLabels
      ? previous
      : { name: discoveredName(described.key), revision: labelsRevision(labels), packedLabels };
  return {
    name: content.name,
    state: described.state,
    platform: described.platform ?? 'linux',
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

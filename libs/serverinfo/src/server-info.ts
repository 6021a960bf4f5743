import type { InstanceKey, ServerId } from '@tagplane/identity';
import type { Labels, Selector } from '@tagplane/labels';

/** Which node a ServerInfo is for. */
export type Match =
  | { readonly kind: 'aws-instance'; readonly instance: InstanceKey }
  | { readonly kind: 'server-id'; readonly serverId: ServerId }
  /** Every node that it picks. */
  | { readonly kind: 'selector'; readonly selector: Selector };

/** What a writer sends: the labels that some node should have, and for how long. */
export interface ServerInfoDraft {
  readonly name: string;
  readonly match: Match;
  /** All under one namespace. */
  readonly labels: Labels;
  /** When the source was asked: Unix milliseconds by the writer's clock. */
  readonly observedAt: number | undefined;
  /** Milliseconds from the write; undefined: never expires. */
  readonly ttlMs: number | undefined;
  /** Write it only if the one there is has this revision. */
  readonly expectedRevision?: number;
  /** Tags of the instance that cannot be carried as labels. */
  readonly rejected?: readonly RejectedKey[];
}

/** A tag of a ServerInfo's instance that is no label. */
export interface RejectedKey {
  /** Shortened when it is long. */
  readonly key: string;
  /** For a person; never the value. */
  readonly reason: string;
}

/** What the store holds. */
export interface ServerInfo extends Omit<ServerInfoDraft, 'ttlMs' | 'expectedRevision'> {
  /** Unix milliseconds by the store's clock; undefined: never. */
  readonly expiresAt: number | undefined;
  /** The store's revision of the write. */
  readonly revision: number;
  /** `role/name` of the identity that wrote it. */
  readonly origin: string;
}

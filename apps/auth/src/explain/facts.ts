import type { InstanceKey } from '@tagplane/identity';
import type { ServerInfo } from '@tagplane/serverinfo';
import type { Wanted } from '@tagplane/session';
import type { Found } from '@tagplane/store';
import type { Hold } from '../guard/hold.ts';
import type { NodeRecord } from '../nodes/node-record.ts';

/** All that is known of a node, or of an instance that may be none. */
export interface ExplainFacts {
  /** Unix milliseconds. */
  readonly now: number;
  /** Undefined: an instance that no agent speaks for. */
  readonly serverId: string | undefined;
  /** The one that it is taken to be, or that was asked about. */
  readonly instance: InstanceKey | undefined;
  /** Undefined: no agent has ever spoken for it, or not for long. */
  readonly record: NodeRecord | undefined;
  /** The store's, of the record; 0 without one. */
  readonly recordRevision: number;
  /** The record was written by a later version. */
  readonly unreadable: boolean;
  /** The store's answer for the instance; undefined: there is none to ask for. */
  readonly found: Found | undefined;
  readonly discovered: ServerInfo | undefined;
  readonly wanted: Wanted;
  /** Those of operators that are for it, in order of precedence. */
  readonly assigned: readonly ServerInfo[];
  /** Whether other instances of its account and region are known. */
  readonly siblings: boolean;
  /** Those that wait or were dropped, of its account and region. */
  readonly holds: readonly Hold[];
  /** Why it is locked, a line each. */
  readonly locks: readonly string[];
}

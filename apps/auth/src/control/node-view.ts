import type { ServerId } from '@tagplane/identity';
import type { ServerInfo } from '@tagplane/serverinfo';
import { wantedLabels } from '@tagplane/session';
import type {
  AuthSessionState,
  Discovered,
  HeldAws,
  Holds,
  LabelSets,
  LabelsVersion,
} from '@tagplane/session';
import type { PackedNodeRecord } from '../nodes/node-codec.ts';
import type { NodeRecord, NodeSync } from '../nodes/node-record.ts';
import type { NodeFacts, TakenHello } from './facts.ts';
import { HOLDS_NOTHING, heldAws, holdingOf, holdingOfRecord } from './holding.ts';
import type { Holding } from './holding.ts';
import { statusOf } from './node-status.ts';
import type { Basis } from './node-status.ts';

/** What a lookup found for a node. */
export interface Finding {
  /** Key of the ServerInfo that was looked up; undefined: the node named no instance. */
  readonly instanceKey: string | undefined;
  readonly discovered: Discovered;
  /** The store's revision of that answer; undefined when it has none. */
  readonly revision: number | undefined;
  /** In the order of their names. */
  readonly assigned: readonly ServerInfo[];
}

/** The write that made a node's labels change. */
export interface Cause {
  /** The store's: microseconds of its clock. */
  readonly revision: number;
  readonly observedAt: number | undefined;
}

/** What the node should have. */
export interface Wanting {
  readonly version: LabelsVersion;
  readonly sets: LabelSets;
  /** What it stands on is other than before. */
  readonly rebased: boolean;
  readonly cause: Cause | undefined;
}

/** All that is known of the node at the other end of a stream. */
export class NodeView {
  readonly serverId: ServerId;
  readonly agentVersion: string;
  #facts: NodeFacts;
  #lastSeen: number;
  /** Undefined: no message has told yet, nor the node's record. */
  #holding: Holding | undefined;
  /** What is on its way, for the record once it is acknowledged. */
  #inFlight: { readonly holding: Holding; readonly cause: Cause | undefined } | undefined;
  #recordRead = false;
  #basis: Basis = 'undecided';
  #wantedRevision = '';
  #foundRevision = 0;

  constructor({ serverId, agentVersion, facts }: TakenHello, now: number) {
    this.serverId = serverId;
    this.agentVersion = agentVersion;
    this.#facts = facts;
    this.#lastSeen = now;
  }

  /** Key of the ServerInfo of the instance that the node says it is. */
  get instanceKey(): string | undefined {
    return this.#facts.instanceKey;
  }

  /** What `aws/` labels it may have; see InstanceClaim. */
  get aws(): NodeFacts['aws'] {
    return this.#facts.aws;
  }

  /** Until something is known of what it should have, an earlier session's record says more. */
  get decided(): boolean {
    return this.#basis !== 'undecided';
  }

  /** Takes over what a heartbeat says. */
  update(facts: NodeFacts, now: number): void {
    if (facts.instanceKey !== this.#facts.instanceKey) this.#foundRevision = 0;
    this.#facts = facts;
    this.#lastSeen = now;
  }

  /**
   * What the node should have by this finding. `ignore`: it is older than one before, or of another
   * instance. `needs-record`: only what an earlier session left in the node's record can tell what the
   * node holds; `adopt` it, then ask again. `keep`: nobody can say; the node keeps what it holds.
   *
   * @param holds what the agent says it holds
   */
  consider(finding: Finding, holds: Holds): Wanting | 'ignore' | 'needs-record' | 'keep' {
    if (finding.instanceKey !== this.instanceKey) return 'ignore';
    const { assigned, revision = this.#foundRevision } = finding;
    const discovered = UNPROVEN[this.aws] ?? finding.discovered;
    if (revision < this.#foundRevision) return 'ignore';
    // Only then does it matter, and reading it takes longer than all the rest.
    const held = discovered.state === 'absent' ? this.#heldAws(holds, assigned.length > 0) : UNASKED;
    const wanted = wantedLabels({ discovered, assigned, held });
    if (wanted.state === 'keep' && !this.#recordRead) return 'needs-record';
    const cause = revision > this.#foundRevision ? causeOf(discovered, revision) : latestOf(assigned);
    this.#foundRevision = revision;
    const rebased = this.#basis !== (wanted.state === 'keep' ? 'unknown' : wanted.basis);
    if (wanted.state === 'keep') {
      this.#basis = 'unknown';
      return 'keep';
    }
    this.#basis = wanted.basis;
    this.#wantedRevision = wanted.version.revision;
    return { version: wanted.version, sets: wanted.sets, rebased, cause };
  }

  /** @param replaced whether there is something to put in the place of what operators assigned before */
  #heldAws(holds: Holds, replaced: boolean): HeldAws {
    return heldAws(this.#holding, { ...holds, endless: holds.endless && replaced }, this.instanceKey);
  }

  /** Takes over what the store has of this node from an earlier session, if anything. */
  adopt(record: NodeRecord | undefined, instanceKey: string | undefined): void {
    this.#recordRead = true;
    if (record !== undefined) this.#holding ??= holdingOfRecord(record, instanceKey);
  }

  /** The node has these contents already. */
  hold(wanting: Wanting): void {
    this.#holding = holdingOf(wanting.version, wanting.sets, this.instanceKey);
  }

  /** They are on their way. */
  sending(wanting: Wanting): void {
    const holding = holdingOf(wanting.version, wanting.sets, this.instanceKey);
    this.#inFlight = { holding, cause: wanting.cause };
  }

  /** What was on its way took effect. */
  acknowledged(): Cause | undefined {
    const { holding, cause } = this.#inFlight ?? {};
    if (holding !== undefined) this.#holding = holding;
    this.#inFlight = undefined;
    return cause;
  }

  /** What was on its way was refused. */
  refused(): void {
    this.#inFlight = undefined;
  }

  status(sync: AuthSessionState['sync'], now: number): NodeSync {
    return statusOf({
      sync,
      basis: this.#basis,
      facts: this.#facts,
      holding: this.#holding ?? HOLDS_NOTHING,
      wantedRevision: this.#wantedRevision,
      now,
    });
  }

  record(session: Pick<PackedNodeRecord, 'connected' | 'authId' | 'sessionId' | 'sync'>): PackedNodeRecord {
    const facts = this.#facts;
    return {
      serverId: this.serverId,
      hostname: facts.hostname,
      agentVersion: this.agentVersion,
      connected: session.connected,
      authId: session.authId,
      sessionId: session.sessionId,
      instance: facts.instance,
      own: facts.own,
      imported: facts.imported,
      acked: this.#holding ?? HOLDS_NOTHING,
      wantedRevision: this.#wantedRevision,
      sync: session.sync,
      lastSeen: this.#lastSeen,
    };
  }
}

const UNASKED: HeldAws = { state: 'unknown' };

/** What stands in the place of any finding for a node that proves no instance, or another than it says. */
const UNPROVEN: Readonly<Record<NodeFacts['aws'], Discovered | undefined>> = {
  open: undefined,
  none: { state: 'gone' },
  denied: { state: 'denied' },
};

function causeOf(discovered: Discovered, revision: number): Cause {
  return { revision, observedAt: discovered.state === 'live' ? discovered.source.observedAt : undefined };
}

function latestOf(assigned: readonly ServerInfo[]): Cause | undefined {
  let latest: ServerInfo | undefined;
  for (const info of assigned) if (latest === undefined || info.revision > latest.revision) latest = info;
  return latest && { revision: latest.revision, observedAt: latest.observedAt };
}

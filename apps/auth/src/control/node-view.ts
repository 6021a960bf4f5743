import type { ServerId } from '@tagplane/identity';
import { assignedLabels, wantedLabels } from '@tagplane/session';
import type {
  Assignments,
  AuthSessionState,
  Discovered,
  HeldAws,
  Holds,
  LabelSets,
  LabelSource,
  LabelsVersion,
  Wanted,
} from '@tagplane/session';
import type { PackedNodeRecord } from '../nodes/node-codec.ts';
import type { LabelDelivery, NodeRecord, NodeSync } from '../nodes/node-record.ts';
import type { NodeFacts, TakenHello } from './facts.ts';
import { HOLDS_NOTHING, awsOf, heldAws, holdingOf, holdingOfRecord } from './holding.ts';
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
  readonly assigned: Assignments;
}

/** What the last finding said of the node's instance, as far as it is still known. */
export interface KnownFinding extends Omit<Finding, 'assigned'> {
  /** Labels that discovery vouches for; undefined: none. */
  readonly aws: LabelSource | undefined;
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
  /** What is to be said of it is other than before, whether or not the labels are. */
  readonly restated: boolean;
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
  #inFlight:
    { readonly holding: Holding; readonly cause: Cause | undefined; readonly sentAt: number } | undefined;
  #delivered: Omit<LabelDelivery, 'pushedBy'> | undefined;
  #recordRead = false;
  #basis: Basis = 'undecided';
  #wantedRevision = '';
  #foundRevision = 0;
  #omitted = 0;

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

  /** Labels that it should have and does not get: there are too many. */
  get omittedLabels(): number {
    return this.#omitted;
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
    const held = discovered.state === 'absent' ? this.#heldAws(holds, assigned) : UNASKED;
    const wanted = wantedLabels({ discovered, assigned, held });
    if (wanted.state === 'keep' && !this.#recordRead) return 'needs-record';
    const cause = revision > this.#foundRevision ? causeOf(discovered, revision) : latestOf(wanted);
    this.#foundRevision = revision;
    if (wanted.state === 'keep') {
      this.#basis = 'unknown';
      return 'keep';
    }
    const { version, sets } = wanted;
    const omitted = wanted.assigned.omitted.length;
    const restated = this.#basis !== wanted.basis || omitted !== this.#omitted;
    this.#basis = wanted.basis;
    this.#wantedRevision = version.revision;
    this.#omitted = omitted;
    return { version, sets, restated, cause };
  }

  /** Only if there is something to put in the place of what operators assigned before, that is known to be all. */
  #heldAws(holds: Holds, assigned: Assignments): HeldAws {
    const endless = holds.endless && assignedLabels(assigned, undefined).layers.length > 0;
    return heldAws(this.#holding, { ...holds, endless }, this.instanceKey);
  }

  /**
   * What was found last, from what the node holds or is being sent; undefined: it was something else, or
   * nothing yet.
   */
  known(): KnownFinding | undefined {
    const { instanceKey } = this;
    const latest = this.#inFlight?.holding ?? this.#holding;
    if (latest?.revision !== this.#wantedRevision || latest.instanceKey !== instanceKey) return undefined;
    const discovered = KNOWN_BY[this.#basis];
    if (discovered === undefined) return undefined;
    const aws = awsOf(latest);
    const found = { instanceKey, revision: undefined, aws };
    if (discovered !== 'live') return { ...found, discovered: { state: discovered } };
    return aws && { ...found, discovered: { state: 'live', source: aws } };
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
  sending(wanting: Wanting, now: number): void {
    const holding = holdingOf(wanting.version, wanting.sets, this.instanceKey);
    this.#inFlight = { holding, cause: wanting.cause, sentAt: now };
  }

  /** What was on its way took effect. */
  acknowledged(now: number): Cause | undefined {
    if (this.#inFlight === undefined) return undefined;
    const { holding, cause, sentAt } = this.#inFlight;
    this.#holding = holding;
    this.#delivered = { pushedAt: sentAt, ackedAt: now };
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
      omitted: this.#omitted,
      now,
    });
  }

  record(
    session: Pick<PackedNodeRecord, 'connected' | 'authId' | 'sessionId' | 'sync' | 'rolesRevision'>,
  ): PackedNodeRecord {
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
      delivery: this.#delivered && { pushedBy: session.authId, ...this.#delivered },
      wantedRevision: this.#wantedRevision,
      sync: session.sync,
      rolesRevision: session.rolesRevision,
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

/** What a finding must have said of the instance, by what came of it; undefined: nobody can tell. */
const KNOWN_BY: Readonly<Record<Basis, Discovered['state'] | undefined>> = {
  'server-info': 'live',
  held: 'absent',
  nothing: 'gone',
  denied: 'denied',
  unknown: undefined,
  undecided: undefined,
};

function causeOf(discovered: Discovered, revision: number): Cause {
  return { revision, observedAt: discovered.state === 'live' ? discovered.source.observedAt : undefined };
}

function latestOf(wanted: Wanted): Cause | undefined {
  let latest: Cause | undefined;
  for (const { source } of wanted.state === 'known' ? wanted.assigned.layers : []) {
    if (latest === undefined || source.revision > latest.revision) latest = source;
  }
  return latest && { revision: latest.revision, observedAt: latest.observedAt };
}

import { instanceKeyText } from '@tagplane/identity';
import type { InstanceKey, ServerId } from '@tagplane/identity';

/** Who this agent was when it last knew; kept on disk. */
export interface IdentityRecord {
  readonly serverId: ServerId;
  /** Whether the agent chose the server id itself. */
  readonly generated: boolean;
  /** The last instance that was known for certain. */
  readonly instance: InstanceKey | undefined;
  /** The boot in which it was known. */
  readonly boot: string;
}

/** What is known of this machine now. */
export interface IdentityFacts {
  readonly configuredId: ServerId | undefined;
  /** The name in the certificate that the agent holds. */
  readonly certifiedId?: ServerId | undefined;
  /** Configured, or found in instance metadata; undefined: not known (yet). */
  readonly instance: InstanceKey | undefined;
  readonly boot: string;
  readonly newServerId: () => ServerId;
}

export interface SettledIdentity {
  /** To be kept. */
  readonly record: IdentityRecord;
  /** The instance to speak for. */
  readonly instance: InstanceKey | undefined;
  /** Why labels that were kept for the record before are another server's; undefined: they are not. */
  readonly discard: string | undefined;
}

/**
 * Who this agent is. An image of a disk carries the record of the machine it was made from: when the
 * instance is another one now, the server id that the agent chose, and the labels, are not its own.
 */
export function settleIdentity(record: IdentityRecord | undefined, facts: IdentityFacts): SettledIdentity {
  const moved =
    record?.instance !== undefined &&
    facts.instance !== undefined &&
    instanceKeyText(record.instance) !== instanceKeyText(facts.instance);
  const serverId = chooseServerId(record, facts, moved);
  const kept = facts.instance ?? record?.instance;
  return {
    record: {
      serverId,
      generated: facts.configuredId === undefined,
      instance: kept,
      boot: facts.instance === undefined ? (record?.boot ?? facts.boot) : facts.boot,
    },
    // Within one boot a machine stays the instance it was: an image starts with another boot.
    instance: facts.instance ?? (record?.boot === facts.boot ? record.instance : undefined),
    discard: moved
      ? 'the disk is from another instance'
      : record !== undefined && record.serverId !== serverId
        ? 'the server id is another one'
        : undefined,
  };
}

function chooseServerId(
  record: IdentityRecord | undefined,
  { configuredId, certifiedId, newServerId }: IdentityFacts,
  moved: boolean,
): ServerId {
  const given = configuredId ?? certifiedId;
  if (given !== undefined) return given;
  return record?.generated === true && !moved ? record.serverId : newServerId();
}

export function equalRecords(a: IdentityRecord | undefined, b: IdentityRecord): boolean {
  return a !== undefined && JSON.stringify(a) === JSON.stringify(b);
}

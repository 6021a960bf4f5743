import { instanceKeyText } from '@tagplane/identity';
import type { InstanceKey, Peer } from '@tagplane/identity';
import { instanceFromMessage } from '@tagplane/protocol';
import type { AwsInstance } from '@tagplane/protocol';

/** Why the instance that a node names does not count. */
export type InstanceProblem = 'malformed' | 'other_instance' | 'unproven';

/** For the node's record, and for people. */
export const INSTANCE_PROBLEMS: Readonly<Record<InstanceProblem, string>> = {
  malformed: 'the AWS identity that it heartbeats is malformed',
  other_instance: 'it says it is another AWS instance than its certificate proves',
  unproven: 'it says it is an AWS instance, and its certificate proves none',
};

/** What a node may say of the instance it runs on. */
export interface InstanceClaim {
  /** The one that it is taken to be. */
  readonly instance: InstanceKey | undefined;
  readonly problem: InstanceProblem | undefined;
  /**
   * What `aws/` labels it may have. `open`: those of its instance, if there are any. `none`: nothing proves
   * an instance, so it gets none; what it imported itself stands. `denied`: it says what its certificate
   * does not, so none count, neither ours nor its own.
   */
  readonly aws: 'open' | 'none' | 'denied';
  /** What it named, when there is a problem with that; for audit. */
  readonly named: string | undefined;
}

/**
 * What a heartbeat says of the instance, against what the peer proves. A peer on loopback proves nothing and
 * is believed; by a certificate, a node is the instance that it proves and no other, and need not name it.
 */
export function claimOf(
  named: AwsInstance | undefined,
  { proof, instance: proven }: Pick<Peer, 'proof' | 'instance'>,
): InstanceClaim {
  const instance = named && instanceFromMessage(named);
  const malformed = named !== undefined && instance === undefined;
  if (proof === 'claimed') {
    return malformed ? problem('malformed', named, 'open') : taken(instance, 'open');
  }
  if (malformed) return problem('malformed', named, 'denied');
  if (proven === undefined) {
    // It is honest of a server to say what its metadata says: what it imported from there stands as well.
    return named === undefined ? taken(undefined, 'none') : problem('unproven', named, 'none');
  }
  if (named === undefined || instance === undefined) return taken(proven, 'open');
  if (instanceKeyText(instance) === instanceKeyText(proven)) return taken(proven, 'open');
  return problem('other_instance', named, 'denied');
}

function taken(instance: InstanceKey | undefined, aws: InstanceClaim['aws']): InstanceClaim {
  return { instance, problem: undefined, aws, named: undefined };
}

function problem(
  problem: InstanceProblem,
  { accountId, region, instanceId }: AwsInstance,
  aws: InstanceClaim['aws'],
): InstanceClaim {
  return { instance: undefined, problem, aws, named: `${accountId}/${region}/${instanceId}` };
}

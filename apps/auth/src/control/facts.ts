import { parseServerId } from '@tagplane/identity';
import type { Peer, ServerId } from '@tagplane/identity';
import { namespaceProblem, ownLabelsProblem } from '@tagplane/labels';
import { labelsFromMessage } from '@tagplane/protocol';
import type { AgentHello, Heartbeat } from '@tagplane/protocol';
import { discoveredName, packLabels, serverInfoKey } from '@tagplane/serverinfo';
import type { HeldClaim } from '@tagplane/session';
import { optionalDurationMs } from '@tagplane/protocol';
import { claimOf } from './instance-claim.ts';
import type { InstanceClaim } from './instance-claim.ts';

/** What a node says of itself, checked; labels packed, since a session keeps them for its record only. */
export interface NodeFacts extends InstanceClaim {
  readonly hostname: string;
  readonly own: string;
  readonly imported: string;
  /** Key of the ServerInfo of the instance that it is taken to be. */
  readonly instanceKey: string | undefined;
}

const MAX_HOSTNAME = 255;
const MAX_VERSION = 64;

/** A heartbeat that cannot be taken is answered with the text, which names keys and never values. */
export function factsOf(
  heartbeat: Heartbeat,
  peer: Pick<Peer, 'proof' | 'instance'>,
): { readonly ok: true; readonly facts: NodeFacts } | { readonly ok: false; readonly problem: string } {
  const own = labelsFromMessage(heartbeat.labels);
  const imported = labelsFromMessage(heartbeat.importedLabels);
  const problem = ownLabelsProblem(own) ?? importedProblem(imported);
  if (problem !== undefined) return { ok: false, problem };
  const claim = claimOf(heartbeat.awsInstance, peer);
  return {
    ok: true,
    facts: {
      hostname: heartbeat.hostname.slice(0, MAX_HOSTNAME),
      own: packLabels(own),
      imported: packLabels(imported),
      ...claim,
      instanceKey: claim.instance && serverInfoKey(discoveredName(claim.instance)),
    },
  };
}

export function heldClaim(heartbeat: Heartbeat): HeldClaim {
  return { revision: heartbeat.heldRevision, remainingMs: optionalDurationMs(heartbeat.heldRemaining) };
}

function importedProblem(imported: ReadonlyMap<string, string>): string | undefined {
  const problem = namespaceProblem('aws/', imported);
  return problem === undefined ? undefined : `imported labels: ${problem}`;
}

/** A hello, checked. */
export interface TakenHello {
  readonly serverId: ServerId;
  readonly agentVersion: string;
  readonly facts: NodeFacts;
  readonly held: HeldClaim;
}

/** `denied`: it speaks for another server id than its peer may; `refused`: it is malformed. */
export function takeHello(
  hello: AgentHello,
  peer: Pick<Peer, 'name' | 'proof' | 'instance'>,
):
  | { readonly result: 'denied' }
  | { readonly result: 'refused'; readonly problem: string }
  | { readonly result: 'taken'; readonly hello: TakenHello } {
  const serverId = parseServerId(hello.serverId);
  if (serverId === undefined || serverId !== peer.name) return { result: 'denied' };
  if (hello.heartbeat === undefined) return { result: 'refused', problem: 'the hello has no heartbeat' };
  const taken = factsOf(hello.heartbeat, peer);
  if (!taken.ok) return { result: 'refused', problem: taken.problem };
  const agentVersion = hello.version.slice(0, MAX_VERSION);
  const held = heldClaim(hello.heartbeat);
  return { result: 'taken', hello: { serverId, agentVersion, facts: taken.facts, held } };
}

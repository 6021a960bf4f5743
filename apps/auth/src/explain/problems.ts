import { NAMESPACES } from '@tagplane/labels';
import { discoveredName } from '@tagplane/serverinfo';
import type { Hold } from '../guard/hold.ts';
import { nodeSync } from '../nodes/node-record.ts';
import type { NodeRecord } from '../nodes/node-record.ts';
import type { ExplainFacts } from './facts.ts';

/** What is missing or not as it should be, a line each, with what to do; the cause of most comes first. */
export function problemsOf(facts: ExplainFacts): string[] {
  return [
    ...facts.locks.map((reason) => `${reason}: its connections are refused; tagctl locks ls, then rm`),
    ...agentProblems(facts),
    ...identityProblems(facts),
    ...discoveryProblems(facts),
    ...facts.holds.map((hold) => holdProblem(hold, facts)),
    ...rejectedProblems(facts),
    ...deliveryProblems(facts),
  ];
}

function agentProblems({ record, unreadable, serverId, now }: ExplainFacts): string[] {
  if (unreadable) return ['its record was written by a later version of auth: ask that one'];
  if (record === undefined) {
    const who = serverId === undefined ? 'this instance' : 'this server id';
    return [
      `no agent speaks for ${who}: install tagplane-agent there and join it, or start it; a record is kept for three heartbeats`,
    ];
  }
  if (record.connected) return [];
  return [
    `its agent is not connected (last heard ${ago(record.lastSeen, now)}): start it, or look at its log; it keeps what it has until that ends`,
  ];
}

/** An agent that names or proves no instance, or another one than it proves. */
function identityProblems({ record }: ExplainFacts): string[] {
  if (record === undefined || record.instance !== undefined) return [];
  const { state, reason } = record.sync;
  const why = state === 'unmatched' && reason !== '' ? reason : 'it names no AWS instance';
  return [
    `no aws/ labels by discovery: ${why}; join it with method iam or ec2, or with a token for its instance, and set aws in agent.yaml where instance metadata is off`,
  ];
}

function discoveryProblems({ instance, found, discovered, siblings }: ExplainFacts): string[] {
  if (instance === undefined || discovered !== undefined) return [];
  const { account, region } = instance;
  const place = `${account}/${region}`;
  const name = discoveredName(instance);
  if (found?.state === 'gone') {
    return found.reason === 'deleted'
      ? [`${name} was deleted: the instance was seen as terminated, or an operator removed it`]
      : [
          `${name} ran out: no scan has found the instance for more than an hour; is discovery running, and does the instance still have the tags that discovery asks for?`,
        ];
  }
  if (!siblings) {
    return [
      `not discovered, and neither is any other instance of ${place}: does a discovery have this region in aws.regions, and credentials of this account?`,
    ];
  }
  return [
    `not discovered, though other instances of ${place} are: it lacks the tags that discovery asks for (aws.tags), is terminated, or was not scanned yet (poll_interval)`,
  ];
}

function holdProblem(hold: Hold, { instance }: ExplainFacts): string {
  const certain = instance !== undefined && hold.samples.includes(discoveredName(instance));
  const about = certain ? 'a change of its labels' : `a change in ${hold.scope}, which may be of this node,`;
  if (hold.state === 'dropped') return `${about} was dropped by ${hold.decidedBy} (hold ${hold.id})`;
  return `${about} waits for an operator: tagctl guard ls, then tagctl guard release ${hold.id}, or drop`;
}

function rejectedProblems({ discovered, wanted }: ExplainFacts): string[] {
  const rejected = discovered?.rejected?.length ?? 0;
  const omitted = wanted.state === 'known' ? wanted.assigned.omitted.length : 0;
  return [
    ...(rejected === 0 ? [] : [`of its tags, ${rejected} cannot be carried as labels: shorten them in EC2`]),
    ...(omitted === 0
      ? []
      : [`of its labels by operators, ${omitted} are left out, since it has too many: assign fewer`]),
  ];
}

function deliveryProblems(facts: ExplainFacts): string[] {
  const { record, wanted, now } = facts;
  if (record === undefined) return [];
  if (wanted.state === 'keep') return ['nobody can say what it should have: it keeps what it holds'];
  const pending = wanted.version.revision !== record.acked.revision;
  return [...(pending ? [pendingProblem(record, now)] : []), ...endedProblems(record, now)];
}

function pendingProblem(record: NodeRecord, now: number): string {
  const { reason } = nodeSync(record, now);
  const why = reason === '' ? 'they were not sent yet' : reason;
  if (!record.connected) return 'the labels that it should have wait for its agent to connect';
  return `it has not acknowledged the labels that it should have: ${why}`;
}

function endedProblems({ acked }: NodeRecord, now: number): string[] {
  return NAMESPACES.flatMap((namespace) => {
    const expiresAt = acked.spans[namespace]?.expiresAt;
    if (expiresAt === undefined || expiresAt > now) return [];
    return [
      `its ${namespace} labels ran out ${ago(expiresAt, now)}: they count as unknown until they are renewed`,
    ];
  });
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

function ago(time: number, now: number): string {
  const ms = Math.max(0, now - time);
  return ms < 2 * MINUTE ? `${Math.round(ms / SECOND)} s ago` : `${Math.round(ms / MINUTE)} min ago`;
}

import { createHash } from 'node:crypto';
import type { InstanceKey } from '@tagplane/identity';
import { parseServerId } from '@tagplane/identity';
import type { Selector } from '@tagplane/labels';
import { formatSelector } from '@tagplane/labels';
import type { Match } from '@tagplane/serverinfo';
import { isAssignedName } from '@tagplane/serverinfo';
import { usageError } from '../errors.ts';
import { oneOf } from '../one-of.ts';
import { readSelector } from '../selectors/read.ts';

/** Which nodes `label` is about, and the ServerInfo that it keeps for them. */
export interface LabelTarget {
  readonly match: Match;
  readonly name: string;
}

export interface TargetFlags {
  readonly selector?: string;
  readonly node?: string;
  readonly instance?: InstanceKey;
  readonly name?: string;
}

/** @throws TagctlError (usage) unless the flags name exactly one target */
export function readTarget({ selector, node, instance, name }: TargetFlags): LabelTarget {
  const match = readMatch({ selector, node, instance });
  return { match, name: name ?? derivedName(match) };
}

function readMatch(flags: {
  readonly selector: string | undefined;
  readonly node: string | undefined;
  readonly instance: InstanceKey | undefined;
}): Match {
  const target = oneOf(flags);
  switch (target[0]) {
    case 'selector':
      return { kind: 'selector', selector: readSelector(target[1]) };
    case 'instance':
      return { kind: 'aws-instance', instance: target[1] };
    case 'node': {
      const serverId = parseServerId(target[1]);
      if (serverId !== undefined) return { kind: 'server-id', serverId };
      throw usageError(`--node: expected a server id, got '${target[1]}'`);
    }
  }
}

/**
 * The name of the ServerInfo that `label` keeps for a target: always the same for the same target, whatever
 * the order in a selector. `labels.node.SERVER_ID`, `labels.instance.ACCOUNT.REGION.ID`, or
 * `labels.selector.` and a hash of the selector.
 */
export function derivedName(match: Match): string {
  switch (match.kind) {
    case 'server-id': {
      const name = `labels.node.${match.serverId}`;
      // A server id may be as long as a name.
      return isAssignedName(name) ? name : `labels.long-node.${hash(match.serverId)}`;
    }
    case 'aws-instance': {
      const { account, region, instance } = match.instance;
      return `labels.instance.${account}.${region}.${instance}`;
    }
    case 'selector':
      return `labels.selector.${hash(canonicalText(match.selector))}`;
  }
}

/** Equal for selectors that differ in the order of terms or values only. */
export function canonicalText({ terms }: Selector): string {
  const sorted = terms
    .map(({ key, values }) => ({ key, values: [...new Set(values)].sort() }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  return formatSelector({ terms: sorted });
}

/** Whether two matches are for the same nodes by the same words. */
export function sameMatch(a: Match, b: Match): boolean {
  if (a.kind === 'selector' && b.kind === 'selector') {
    return canonicalText(a.selector) === canonicalText(b.selector);
  }
  return a.kind === b.kind && derivedName(a) === derivedName(b);
}

/** For a person. */
export function matchText(match: Match): string {
  switch (match.kind) {
    case 'server-id':
      return `node ${match.serverId}`;
    case 'aws-instance': {
      const { account, region, instance } = match.instance;
      return `instance ${account}/${region}/${instance}`;
    }
    case 'selector':
      return `selector ${formatSelector(match.selector)}`;
  }
}

/** 64 bits: two of a million selectors share one with a chance of 1 in 37 million, and that is noticed. */
function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

import { Code, ConnectError } from '@connectrpc/connect';
import type { ServiceImpl } from '@connectrpc/connect';
import { formatSpiffeId, parseServerId, parseSpiffeId } from '@tagplane/identity';
import type { Peer } from '@tagplane/identity';
import { instanceFromMessage, optionalDurationMs, peerOf } from '@tagplane/protocol';
import type { LockService, LockTarget as LockTargetMessage } from '@tagplane/protocol';
import { SECOND, formatDuration } from '@tagplane/runtime';
import { MAX_TTL_MS } from '@tagplane/store';
import type { Audit } from '../audit/audit.ts';
import { cleanText } from '../audit/clean-text.ts';
import type { LockRegistry } from '../locks/create-locks.ts';
import type { LockTarget } from '../locks/lock.ts';
import { callerOf } from './caller.ts';
import { lockMessage } from './lock-message.ts';

export interface LockRoutes {
  readonly locks: Pick<LockRegistry, 'add' | 'remove' | 'list'>;
  readonly audit: Audit;
  /** Name of the cluster. */
  readonly cluster: string;
}

type AddLock = ServiceImpl<typeof LockService>['addLock'];

/**
 * Locks a target. Auth services are never locked: an intruder among the operators could turn the cluster off.
 * An operator may lock themselves, as one does who has lost a laptop, but only for a time: there may be no
 * other operator to end it.
 */
export function addLock({ locks, audit, cluster }: LockRoutes): AddLock {
  return async (request, context) => {
    const target = parseTarget(request.target, cluster);
    const ttlMs = parseTtl(optionalDurationMs(request.ttl));
    if (ttlMs === undefined && isSelf(target, peerOf(context), cluster)) {
      throw invalid('that is your own identity: lock it with a ttl, or ask another operator');
    }
    const caller = callerOf(context);
    const message = cleanText(request.message, 1_024);
    const lock = await locks.add({ target, message, ttlMs, createdBy: caller.actor }, context.signal);
    if (lock === undefined) throw new ConnectError('too many locks are in force', Code.ResourceExhausted);
    audit.record({
      code: 'lock.added',
      result: 'ok',
      ...caller,
      subjects: [lock.id],
      details: { message, ttl: ttlMs === undefined ? 'none' : formatDuration(ttlMs) },
    });
    return { lock: lockMessage(lock) };
  };
}

function parseTarget(message: LockTargetMessage | undefined, cluster: string): LockTarget {
  const target = message?.target;
  switch (target?.case) {
    case 'agent': {
      const serverId = parseServerId(target.value);
      if (serverId === undefined) throw invalid('target.agent: no server id');
      return { kind: 'agent', serverId };
    }
    case 'instance': {
      const instance = instanceFromMessage(target.value);
      if (instance === undefined) throw invalid('target.instance: no account, region and instance id');
      return { kind: 'instance', instance };
    }
    case 'identity':
      return { kind: 'identity', id: parseIdentity(target.value, cluster) };
    case undefined:
      throw invalid('target: an agent, an instance or an identity');
  }
}

function parseIdentity(text: string, cluster: string): string {
  const id = parseSpiffeId(text);
  if (id === undefined) throw invalid('target.identity: not spiffe://CLUSTER/ROLE/NAME');
  if (id.cluster !== cluster) throw invalid(`target.identity: not of the cluster ${cluster}`);
  if (id.role === 'auth') throw invalid('target.identity: auth services cannot be locked');
  return formatSpiffeId(id);
}

function parseTtl(ttlMs: number | undefined): number | undefined {
  if (ttlMs === undefined) return undefined;
  if (ttlMs < SECOND || ttlMs > MAX_TTL_MS) throw invalid('ttl: one second to a hundred years');
  return Math.round(ttlMs);
}

function isSelf(target: LockTarget, { role, name }: Peer, cluster: string): boolean {
  return target.kind === 'identity' && target.id === formatSpiffeId({ cluster, role, name });
}

function invalid(problem: string): ConnectError {
  return new ConnectError(problem, Code.InvalidArgument);
}

import { instanceKeyText, peerText } from '@tagplane/identity';
import type { Audit } from '../audit/audit.ts';
import type { JoinMethodName, Joined } from './join-exchange.ts';
import type { JoinMetrics } from './metrics.ts';
import type { JoinRole } from './roles.ts';
import type { Refusal } from './verifier.ts';

/** What is known of an exchange while it goes on. */
export interface JoinAttempt {
  readonly remoteAddress: string | undefined;
  role?: JoinRole;
  /** As it was asked for. */
  name?: string;
  method?: JoinMethodName;
}

/** Something other than a decision ended it: the caller left, time ran out, the store is away. */
export interface Failure {
  readonly ok: false;
  readonly code: 'failed';
  readonly reason: string;
}

/** Counts and audits the end of an exchange; each has one. */
export function reportJoin(
  sinks: { readonly audit: Audit; readonly metrics: Pick<JoinMetrics, 'joins'> },
  attempt: JoinAttempt,
  end: Joined | Refusal | Failure,
): void {
  const result = end.ok ? 'ok' : end.code === 'denied' ? 'refused' : 'failed';
  const { method = 'none', role = 'none', name = '', remoteAddress } = attempt;
  sinks.metrics.joins.inc({ method, role, result });
  const details = { method, role };
  if (end.ok) {
    const { peer, id } = end.identity;
    const instance = peer.instance === undefined ? {} : { instance: instanceKeyText(peer.instance) };
    sinks.audit.record({
      code: 'join.ok',
      result: 'ok',
      actor: peerText(peer),
      remoteAddress,
      subjects: [id],
      details: { ...details, name: peer.name, proof: end.proof, ...instance },
    });
    return;
  }
  sinks.audit.record({
    code: 'join.refused',
    result: result === 'refused' ? 'refused' : 'failed',
    actor: attempt.role === undefined || name === '' ? undefined : peerText({ role: attempt.role, name }),
    remoteAddress,
    reason: end.reason,
    details: { ...details, name, ...('details' in end ? end.details : {}) },
  });
}

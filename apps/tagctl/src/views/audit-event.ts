import type { Labels } from '@tagplane/labels';
import { labelsFromMessage } from '@tagplane/protocol';
import type { AuditEvent } from '@tagplane/protocol';
import { visible } from '../format/escape.ts';
import { labelsText } from '../format/labels-text.ts';
import { timeView } from './node.ts';

/** An audit event as JSON and YAML show it; others script against these names. */
export interface AuditEventView {
  readonly id: string;
  readonly code: string;
  /** RFC 3339, UTC. */
  readonly time: string | null;
  readonly auth_id: string;
  /** `role/name`; null: nobody had said or proven who they are. */
  readonly actor: string | null;
  readonly remote_address: string | null;
  readonly result: string;
  readonly reason: string | null;
  readonly subjects: readonly string[];
  readonly details: Labels;
  /** Like events that were counted together. */
  readonly count: number;
}

export function auditEventView(event: AuditEvent): AuditEventView {
  return {
    id: event.id,
    code: event.code,
    time: timeView(event.time),
    auth_id: event.authId,
    actor: event.actor || null,
    remote_address: event.remoteAddress || null,
    result: event.result,
    reason: event.reason || null,
    subjects: event.subjects,
    details: labelsFromMessage(event.details),
    count: Math.max(1, event.count),
  };
}

const RESULT_COLOURS: Readonly<Record<string, string>> = { ok: '32', refused: '31', failed: '31' };
/** As wide as the longest code and result, so that lines which come one by one stand in columns. */
const CODE_WIDTH = 'agent.instance_mismatch'.length;
const RESULT_WIDTH = 'refused'.length;

/** One line for a person: when, what, the result, who, from where, about what, why. */
export function auditLine(event: AuditEventView, colour: boolean): string {
  const result = visible(event.result).padEnd(RESULT_WIDTH);
  const code = Object.hasOwn(RESULT_COLOURS, event.result) ? RESULT_COLOURS[event.result] : undefined;
  const painted = colour && code !== undefined ? `\u001b[${code}m${result}\u001b[0m` : result;
  const parts = [
    event.time ?? '-',
    visible(event.code).padEnd(CODE_WIDTH),
    painted,
    visible(event.actor ?? '-'),
    visible(event.remote_address ?? '-'),
    ...event.subjects.map(visible),
    labelsText(event.details),
    event.count > 1 ? `(${event.count} times)` : '',
  ];
  const line = parts.filter((part) => part !== '').join('  ');
  return event.reason === null ? line : `${line}: ${visible(event.reason)}`;
}

import type { AuditRecord } from './audit.ts';
import { cleanText } from './clean-text.ts';

/** A recorded event. Texts are bounded and free of control characters. */
export interface AuditEvent {
  /** Unique over all auth processes, and ordered by time. */
  readonly id: string;
  readonly code: string;
  /** Unix milliseconds by the auth process's clock. */
  readonly time: number;
  readonly authId: string;
  /** Empty: nobody had said or proven who they are. */
  readonly actor: string;
  readonly remoteAddress: string;
  readonly result: AuditRecord['result'];
  readonly reason: string;
  readonly subjects: readonly string[];
  readonly details: Readonly<Record<string, string>>;
  /** Like events that were counted together; 1: it stands for itself. */
  readonly count: number;
}

/** What was recorded, before it has an id. */
export type CleanRecord = Omit<AuditEvent, 'id' | 'time' | 'authId' | 'count'>;

/** A call of the API takes at most as many names. */
const MAX_SUBJECTS = 1_000;
const MAX_DETAILS = 32;
/** Characters (UTF-16 units). A SPIFFE ID of ours has at most 209: 9 + 63 + 1 + 9 + 1 + 128. */
const LONGEST = { code: 64, actor: 256, address: 64, reason: 1_024, subject: 256, detail: 1_024 } as const;

/** The record with every text made safe to print and bounded. */
export function cleanRecord(record: AuditRecord): CleanRecord {
  const { subjects = [], details = {} } = record;
  return {
    code: cleanText(record.code, LONGEST.code),
    result: record.result,
    actor: cleanText(record.actor ?? '', LONGEST.actor),
    remoteAddress: cleanText(record.remoteAddress ?? '', LONGEST.address),
    reason: cleanText(record.reason ?? '', LONGEST.reason),
    subjects: subjects.slice(0, MAX_SUBJECTS).map((subject) => cleanText(subject, LONGEST.subject)),
    details: Object.fromEntries(
      Object.entries(details)
        .slice(0, MAX_DETAILS)
        .map(([name, value]) => [cleanText(name, LONGEST.code), cleanText(value, LONGEST.detail)]),
    ),
  };
}

/**
 * One event as one line of JSON, with its line end:
 *
 *     {"id":"0192f3c4d5e60000-9f86d081884c","time":"2026-11-22T10:00:00.000Z","code":"join.refused",
 *      "result":"refused","auth_id":"auth-1","actor":"agent/web-1","remote_address":"10.0.0.7",
 *      "reason":"the token has expired","subjects":["3f2a"],"details":{"method":"token"},"count":12}
 *
 * `id`, `time` (RFC 3339, UTC), `code`, `result` (`ok`, `refused` or `failed`) and `auth_id` are always
 * there. Left out when empty: `actor`, `remote_address`, `reason`, `subjects` (a list of texts), `details`
 * (texts by name); and `count` when it is 1. Members are added to and never renamed.
 */
export function eventLine(event: AuditEvent): string {
  return `${encodeEvent(event)}\n`;
}

/** Names that the copy in the store keeps of one event: 20 × 45 bytes, not 1,000. */
export const MAX_STORED_SUBJECTS = 20;

/**
 * The value for the store: the line, with at most 20 subjects; `details.subjects` then says how many there
 * were. A discovery that renews 100,000 ServerInfos an hour would otherwise fill a store with their names.
 */
export function storedEvent(event: AuditEvent): string {
  const { subjects, details } = event;
  if (subjects.length <= MAX_STORED_SUBJECTS) return encodeEvent(event);
  return encodeEvent({
    ...event,
    subjects: subjects.slice(0, MAX_STORED_SUBJECTS),
    details: { ...details, subjects: String(subjects.length) },
  });
}

function encodeEvent(event: AuditEvent): string {
  const { actor, remoteAddress, reason, subjects, details, count } = event;
  return JSON.stringify({
    id: event.id,
    time: new Date(event.time).toISOString(),
    code: event.code,
    result: event.result,
    auth_id: event.authId,
    ...(actor === '' ? {} : { actor }),
    ...(remoteAddress === '' ? {} : { remote_address: remoteAddress }),
    ...(reason === '' ? {} : { reason }),
    ...(subjects.length === 0 ? {} : { subjects }),
    ...(Object.keys(details).length === 0 ? {} : { details }),
    ...(count === 1 ? {} : { count }),
  });
}

/** Reads a stored value; undefined when it is no event of a form known here. */
export function decodeEvent(value: string): AuditEvent | undefined {
  const parsed = parseObject(value);
  if (parsed === undefined) return undefined;
  const { id, code, result, time, count = 1, subjects = [], details = {} } = parsed;
  const at = typeof time === 'string' ? Date.parse(time) : Number.NaN;
  if (typeof id !== 'string' || typeof code !== 'string' || Number.isNaN(at)) return undefined;
  if (result !== 'ok' && result !== 'refused' && result !== 'failed') return undefined;
  if (!isTexts(subjects) || !isRecord(details) || !isTexts(Object.values(details))) return undefined;
  return {
    id,
    code,
    result,
    time: at,
    authId: textOr(parsed['auth_id']),
    actor: textOr(parsed['actor']),
    remoteAddress: textOr(parsed['remote_address']),
    reason: textOr(parsed['reason']),
    subjects,
    details: details as Record<string, string>,
    count: typeof count === 'number' && Number.isSafeInteger(count) && count > 0 ? count : 1,
  };
}

function parseObject(value: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(value);
    return isRecord(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function textOr(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

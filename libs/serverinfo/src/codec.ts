import { parseInstanceKey, parseServerId } from '@tagplane/identity';
import type { SelectorTerm } from '@tagplane/labels';
import { nameOfKey } from './keys.ts';
import { flatLabels, labelsOfFlat } from './pack.ts';
import type { Match, RejectedKey, ServerInfo } from './server-info.ts';

/** First element of every value; a reader refuses what a later form says differently. */
const VERSION = 1;

/** An item of the store, as far as this codec reads it. */
export interface StoredEntry {
  readonly key: string;
  readonly value: string;
  readonly revision: number;
  /** Unix milliseconds; undefined: never. */
  readonly expiresAt: number | undefined;
}

/** A stored value that is no ServerInfo of a version known here. The message never holds a label. */
export class ServerInfoDecodeError extends Error {
  override readonly name = 'ServerInfoDecodeError';
  readonly key: string;

  constructor(key: string, problem: string, options?: { cause: unknown }) {
    super(`the stored ServerInfo ${JSON.stringify(key)} cannot be read: ${problem}`, options);
    this.key = key;
  }
}

/**
 * The value for the store: compact JSON, `[1, match, labels, observedAt, origin]` and, if tags were
 * rejected, `[key, reason, …]` and the origin again: it is always at the end (`originEnding`). The name is in
 * the key; expiry and revision are the store's own.
 */
export function encodeServerInfo(info: Omit<ServerInfo, 'expiresAt' | 'revision'>): string {
  return JSON.stringify([
    VERSION,
    encodeMatch(info.match),
    flatLabels(info.labels),
    info.observedAt ?? null,
    info.origin,
    ...(info.rejected === undefined || info.rejected.length === 0
      ? []
      : [flatRejected(info.rejected), info.origin]),
  ]);
}

/**
 * What the value of a ServerInfo of this origin ends with, and that of no other; but a value with rejected
 * tags that an earlier version wrote ends with these.
 */
export function originEnding(origin: string): string {
  return `,${JSON.stringify(origin)}]`;
}

/** @throws ServerInfoDecodeError */
export function decodeServerInfo(entry: StoredEntry): ServerInfo {
  const [version, match, labels, observedAt, origin, rejected] = parseArray(entry);
  if (version !== VERSION) throw new ServerInfoDecodeError(entry.key, 'unknown version');
  const decoded = decodeMatch(match);
  if (decoded === undefined) throw new ServerInfoDecodeError(entry.key, 'no match');
  const decodedLabels = labelsOfFlat(labels);
  if (decodedLabels === undefined) throw new ServerInfoDecodeError(entry.key, 'no labels');
  if (observedAt !== null && !Number.isSafeInteger(observedAt)) {
    throw new ServerInfoDecodeError(entry.key, 'no observation time');
  }
  if (typeof origin !== 'string') throw new ServerInfoDecodeError(entry.key, 'no origin');
  return {
    name: nameOfKey(entry.key),
    match: decoded,
    labels: decodedLabels,
    observedAt: observedAt === null ? undefined : (observedAt as number),
    expiresAt: entry.expiresAt,
    revision: entry.revision,
    origin,
    ...(rejected === undefined ? {} : { rejected: rejectedOfFlat(entry, rejected) }),
  };
}

function parseArray(entry: StoredEntry): unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(entry.value);
  } catch {
    // The parser's own message quotes the text, labels and all.
    throw new ServerInfoDecodeError(entry.key, 'not JSON');
  }
  if (!Array.isArray(value)) throw new ServerInfoDecodeError(entry.key, 'not an array');
  return value;
}

function encodeMatch(match: Match): unknown[] {
  if (match.kind === 'server-id') return [match.serverId];
  if (match.kind === 'selector') return match.selector.terms.map(({ key, values }) => [key, ...values]);
  const { account, region, instance } = match.instance;
  return [account, region, instance];
}

/** One text is a server id, three are an instance; lists of texts are the terms of a selector. */
function decodeMatch(encoded: unknown): Match | undefined {
  if (!Array.isArray(encoded)) return undefined;
  if (Array.isArray(encoded[0])) return decodeSelector(encoded);
  if (!encoded.every((part) => typeof part === 'string')) return undefined;
  const [first = '', region = '', id = ''] = encoded;
  if (encoded.length === 1) {
    const serverId = parseServerId(first);
    return serverId && { kind: 'server-id', serverId };
  }
  const instance = parseInstanceKey({ account: first, region, instance: id });
  return instance && { kind: 'aws-instance', instance };
}

function decodeSelector(encoded: readonly unknown[]): Match | undefined {
  const terms: SelectorTerm[] = [];
  for (const term of encoded) {
    if (!Array.isArray(term) || !term.every((part) => typeof part === 'string')) return undefined;
    const [key, ...values] = term;
    if (key === undefined || values.length === 0) return undefined;
    terms.push({ key, values });
  }
  return { kind: 'selector', selector: { terms } };
}

function flatRejected(rejected: readonly RejectedKey[]): string[] {
  return rejected.flatMap(({ key, reason }) => [key, reason]);
}

/** @throws ServerInfoDecodeError */
function rejectedOfFlat(entry: StoredEntry, flat: unknown): RejectedKey[] {
  if (!Array.isArray(flat) || flat.length % 2 !== 0 || !flat.every((part) => typeof part === 'string')) {
    throw new ServerInfoDecodeError(entry.key, 'no rejected tags');
  }
  const texts: readonly string[] = flat;
  return Array.from({ length: texts.length / 2 }, (_, index) => ({
    key: texts[2 * index] ?? '',
    reason: texts[2 * index + 1] ?? '',
  }));
}

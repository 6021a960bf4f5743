/** How old the source's word on one namespace is, and for how much longer it holds. Milliseconds. */
export interface StatedLifetime {
  /** Undefined: unknown. */
  readonly ageMs: number | undefined;
  /** Undefined: without end. */
  readonly remainingMs: number | undefined;
}

/** The auth service's word on the labels of one server. */
export interface LabelsStatement {
  readonly kind: 'labels';
  readonly cluster: string;
  readonly serverId: string;
  /** Names the whole content: equal contents have equal revisions. */
  readonly revision: string;
  /** Unix milliseconds by the auth service's clock; the lifetimes are as of then. */
  readonly issuedAt: number;
  /** By namespace; one for each that has a set, also for a set without labels. */
  readonly lifetimes: ReadonlyMap<string, StatedLifetime>;
}

/** The auth service's word on the roles of the whole cluster; it is the same for every server. */
export interface RolesStatement {
  readonly kind: 'roles';
  readonly cluster: string;
  readonly revision: string;
  /** Unix milliseconds by the auth service's clock; `remainingMs` is as of then. */
  readonly issuedAt: number;
  readonly remainingMs: number;
}

/** A statement of an auth service that is kept on the disk of a server and outlives the connection. */
export type AuthStatement = LabelsStatement | RolesStatement;

/** The first line: a signature over one kind of statement is none over another. */
const LABELS = 'tagplane-labels-v1';
const ROLES = 'tagplane-roles-v1';
/** Longer than any of ours: six lines, of which the longest has two namespaces. */
const MAX_BYTES = 4_096;

/**
 * What is signed for the labels of one server, as text lines: `tagplane-labels-v1`, cluster, server id,
 * revision, issued at (Unix milliseconds), and the lifetimes as JSON with namespaces in order:
 * `{"aws/":{"age":1000,"remaining":5400000}}`.
 */
export function labelsStatement(parts: Omit<LabelsStatement, 'kind'>): Uint8Array {
  const { cluster, serverId, revision, issuedAt, lifetimes } = parts;
  return encoded([LABELS, cluster, serverId, revision, integer(issuedAt), lifetimesText(lifetimes)]);
}

/**
 * What is signed for the roles: `tagplane-roles-v1`, cluster, revision, issued at (Unix milliseconds), and
 * for how many milliseconds more they count.
 */
export function rolesStatement(parts: Omit<RolesStatement, 'kind'>): Uint8Array {
  const { cluster, revision, issuedAt, remainingMs } = parts;
  return encoded([ROLES, cluster, revision, integer(issuedAt), integer(remainingMs)]);
}

/**
 * Reads a statement; undefined for any other bytes. There is one way to write each statement. It says
 * nothing of who made it: see `verifyStatement`.
 */
export function readStatement(bytes: Uint8Array): AuthStatement | undefined {
  if (bytes.byteLength > MAX_BYTES) return undefined;
  const read = readLines(Buffer.from(bytes).toString('utf8').split('\n'));
  if (read === undefined) return undefined;
  const again = read.kind === 'labels' ? labelsStatement(read) : rolesStatement(read);
  return Buffer.compare(again, bytes) === 0 ? read : undefined;
}

function readLines(lines: readonly string[]): AuthStatement | undefined {
  const [kind, cluster = ''] = lines;
  if (kind === ROLES && lines.length === 5) {
    const [, , revision = '', issued, remaining] = lines;
    const [issuedAt, remainingMs] = [readInteger(issued), readInteger(remaining)];
    if (issuedAt === undefined || remainingMs === undefined) return undefined;
    return { kind: 'roles', cluster, revision, issuedAt, remainingMs };
  }
  if (kind !== LABELS || lines.length !== 6) return undefined;
  const [, , serverId = '', revision = '', issued, stated = ''] = lines;
  const [issuedAt, lifetimes] = [readInteger(issued), readLifetimes(stated)];
  if (issuedAt === undefined || lifetimes === undefined) return undefined;
  return { kind: 'labels', cluster, serverId, revision, issuedAt, lifetimes };
}

/** @throws RangeError for a line that is two: none of ours may hold a line end */
function encoded(lines: readonly string[]): Uint8Array {
  if (lines.some((line) => line.includes('\n'))) throw new RangeError('a line end within a line');
  return Buffer.from(lines.join('\n'));
}

function integer(value: number): string {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError('not whole milliseconds');
  return String(value);
}

function readInteger(text: unknown): number | undefined {
  const value = typeof text === 'string' && /^\d{1,16}$/.test(text) ? Number(text) : undefined;
  return Number.isSafeInteger(value) ? value : undefined;
}

function lifetimesText(lifetimes: ReadonlyMap<string, StatedLifetime>): string {
  const stated = [...lifetimes].sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(
    Object.fromEntries(
      stated.map(([namespace, { ageMs, remainingMs }]) => [
        namespace,
        {
          ...(ageMs === undefined ? {} : { age: Number(integer(ageMs)) }),
          ...(remainingMs === undefined ? {} : { remaining: Number(integer(remainingMs)) }),
        },
      ]),
    ),
  );
}

function readLifetimes(text: string): Map<string, StatedLifetime> | undefined {
  const stated = readObject(text);
  if (stated === undefined) return undefined;
  const lifetimes = new Map<string, StatedLifetime>();
  for (const [namespace, value] of Object.entries(stated)) {
    if (typeof value !== 'object' || value === null) return undefined;
    const { age, remaining } = value as { age?: unknown; remaining?: unknown };
    const [ageMs, remainingMs] = [readMs(age), readMs(remaining)];
    if (ageMs === 'wrong' || remainingMs === 'wrong') return undefined;
    lifetimes.set(namespace, { ageMs, remainingMs });
  }
  return lifetimes;
}

function readMs(value: unknown): number | undefined | 'wrong' {
  if (value === undefined) return undefined;
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 'wrong';
}

function readObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

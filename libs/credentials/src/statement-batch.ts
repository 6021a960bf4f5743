import { hash } from 'node:crypto';

/** Leads from one statement to what was signed for all statements of a batch. */
export interface StatementProof {
  /** The statement's place in the batch, from 0. */
  readonly position: number;
  /** What stands beside its way to the root, from the bottom: SHA-256, 32 bytes each. */
  readonly hashes: readonly Uint8Array[];
}

/** The first line of what is signed for a batch: it is a signature over no statement. */
const BATCH = 'tagplane-batch-v1';
const HASH_BYTES = 32;
const MAX_HASHES = 16;
/** The most statements in one batch: 65,536. */
export const MAX_BATCH = 2 ** MAX_HASHES;
/** RFC 6962, section 2.1: different first bytes, so that no inner node passes for a statement. */
const LEAF = Buffer.of(0);
const INNER = Buffer.of(1);
/** Beside the last ones of a batch whose number is no power of two. */
const NOTHING = Buffer.alloc(HASH_BYTES);

/**
 * One thing to sign for many statements, and for each the proof that it is among them: the root of a tree
 * of hashes.
 *
 * @throws RangeError for no statements, or for more than `MAX_BATCH`
 */
export function batchStatements(statements: readonly Uint8Array[]): {
  readonly signed: Uint8Array;
  readonly proofs: readonly StatementProof[];
} {
  if (statements.length === 0 || statements.length > MAX_BATCH) throw new RangeError('no batch to sign');
  const levels = [statements.map((statement) => digest(LEAF, statement))];
  for (let level = levels[0] ?? []; level.length > 1; levels.push(level)) level = joined(level);
  const [root = NOTHING] = levels.pop() ?? [];
  const proofs = statements.map((_, position) => ({
    position,
    hashes: levels.map((level, height) => level[(position >> height) ^ 1] ?? NOTHING),
  }));
  return { signed: signedFor(root), proofs };
}

/** What was signed if the statement is in a batch as the proof says; undefined for what is no proof. */
export function batchOf(statement: Uint8Array, { position, hashes }: StatementProof): Uint8Array | undefined {
  const places = 2 ** hashes.length;
  if (hashes.length > MAX_HASHES || !Number.isInteger(position) || position < 0 || position >= places) {
    return undefined;
  }
  let node = digest(LEAF, statement);
  for (const [height, beside] of hashes.entries()) {
    if (beside.byteLength !== HASH_BYTES) return undefined;
    node = ((position >> height) & 1) === 0 ? digest(INNER, node, beside) : digest(INNER, beside, node);
  }
  return signedFor(node);
}

function joined(level: readonly Uint8Array[]): Uint8Array[] {
  const above: Uint8Array[] = [];
  for (let index = 0; index < level.length; index += 2) {
    above.push(digest(INNER, level[index] ?? NOTHING, level[index + 1] ?? NOTHING));
  }
  return above;
}

function digest(...parts: readonly Uint8Array[]): Uint8Array {
  return hash('sha256', Buffer.concat(parts), 'buffer');
}

function signedFor(root: Uint8Array): Uint8Array {
  return Buffer.from(`${BATCH}\n${Buffer.from(root).toString('hex')}`);
}

import { createHmac, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';

/** What a sealed file is for; a file put in another's place does not pass for it. */
export type SealedKind = 'labels' | 'roles' | 'counters';

/** A file of the agent's, as one key sealed it. */
export interface Sealed {
  readonly kind: SealedKind;
  /** Rises with each write of this kind. */
  readonly counter: number;
  readonly content: unknown;
}

export type Unsealed =
  | { readonly ok: true; readonly sealed: Sealed }
  /** For a person; holds nothing of the file. */
  | { readonly ok: false; readonly problem: string };

const VERSION = 2;
const MAC = /^(.+),"mac":"([0-9a-f]{64})"\}\n$/s;

const envelope = z.strictObject({
  version: z.literal(VERSION),
  kind: z.enum(['labels', 'roles', 'counters']),
  counter: z.int().min(0),
  content: z.unknown(),
});

/** One line of JSON, all of it before the last member under a code (HMAC-SHA-256) that only the key makes. */
export function seal(key: Uint8Array, { kind, counter, content }: Sealed): string {
  const head = JSON.stringify({ version: VERSION, kind, counter, content }).slice(0, -1);
  return `${head},"mac":"${code(key, head).toString('hex')}"}\n`;
}

/** Reads what `seal` made with the same key for the same kind; says why it cannot be that. */
export function unseal(key: Uint8Array, kind: SealedKind, text: string): Unsealed {
  const [, head, mac] = MAC.exec(text) ?? [];
  if (head === undefined || mac === undefined) return refused('it is not sealed');
  if (!timingSafeEqual(code(key, head), Buffer.from(mac, 'hex'))) {
    return refused('it is not as this agent wrote it: edited, damaged, or from another place');
  }
  const read = envelope.safeParse(JSON.parse(`${head}}`));
  if (!read.success) return refused('it is of a version that this agent does not know');
  if (read.data.kind !== kind) return refused(`it is the file of ${read.data.kind}`);
  return { ok: true, sealed: read.data };
}

function code(key: Uint8Array, head: string): Buffer {
  return createHmac('sha256', key).update('tagplane-agent-state\n').update(head).digest();
}

function refused(problem: string): Unsealed {
  return { ok: false, problem };
}

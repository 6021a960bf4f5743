import { parseInstanceKey } from '@tagplane/identity';
import type { InstanceKey } from '@tagplane/identity';
import { HOUR, fullJitter, sleep } from '@tagplane/runtime';
import type { Entry, Store } from '@tagplane/store';
import { z } from 'zod';
import { JOIN_ROLES } from '../roles.ts';
import type { JoinRole } from '../roles.ts';
import { newToken, secretHash } from './token-text.ts';
import type { TokenParts } from './token-text.ts';

export const TOKEN_PREFIX = 'token/';
/** An expired token stays for a day, so that whoever comes with it is told so, and the audit too. */
const KEPT_AFTER_END_MS = 24 * HOUR;
/** Joins with one token at once: each write lets one of them through. */
const CONFLICT_RETRY = { baseMs: 2, maxMs: 100 };

export interface Token {
  readonly id: string;
  /** SHA-256 of the secret, in hex. */
  readonly secretHash: string;
  readonly role: JoinRole;
  /** The name that its holder gets; empty: any that is free. */
  readonly name: string;
  /** The instance that it stands for. */
  readonly instance: InstanceKey | undefined;
  readonly usesLeft: number;
  /** Unix milliseconds. */
  readonly expiresAt: number;
  readonly createdBy: string;
}

export interface TokenSpec extends Pick<Token, 'role' | 'name' | 'instance' | 'createdBy'> {
  readonly uses: number;
  readonly ttlMs: number;
}

const stored = z.object({
  v: z.literal(1),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  role: z.enum(JOIN_ROLES),
  name: z.string(),
  instance: z.tuple([z.string(), z.string(), z.string()]).nullable(),
  uses: z.int().min(0),
  until: z.int(),
  by: z.string(),
});

/** The join tokens in the store; only a hash of each secret is kept. */
export class Tokens {
  readonly #store: Store;
  readonly #now: () => number;

  constructor({ store, now }: { readonly store: Store; readonly now: () => number }) {
    this.#store = store;
    this.#now = now;
  }

  /** The secret is in this answer and nowhere else. */
  async add(spec: TokenSpec, signal: AbortSignal): Promise<{ token: Token; parts: TokenParts }> {
    const parts = newToken();
    const { role, name, instance, createdBy } = spec;
    const token: Token = {
      id: parts.id,
      secretHash: secretHash(parts.secret).toString('hex'),
      role,
      name,
      instance,
      createdBy,
      usesLeft: spec.uses,
      expiresAt: this.#now() + spec.ttlMs,
    };
    const [result] = await this.#store.put([{ ...this.#put(token), expected: { live: false } }], { signal });
    if (result?.written !== true) throw new Error('a new token has the id of another one');
    return { token, parts };
  }

  async get(id: string, signal: AbortSignal): Promise<Token | undefined> {
    const [found] = await this.#store.getMany([TOKEN_PREFIX + id], { signal });
    return found?.state === 'live' ? decodeToken(found) : undefined;
  }

  /** Takes one use; the other answers say why there is none. Tries again while others take theirs. */
  async spend(id: string, signal: AbortSignal): Promise<'spent' | 'used up' | 'gone'> {
    for (let attempt = 0; ; attempt += 1) {
      const [found] = await this.#store.getMany([TOKEN_PREFIX + id], { signal });
      const token = found?.state === 'live' ? decodeToken(found) : undefined;
      if (found === undefined || token === undefined) return 'gone';
      if (token.usesLeft === 0) return 'used up';
      const put = this.#put({ ...token, usesLeft: token.usesLeft - 1 });
      const expected = { revision: found.state === 'live' ? found.revision : 0 };
      const [result] = await this.#store.put([{ ...put, expected }], { signal });
      if (result?.written === true) return 'spent';
      await sleep(fullJitter(attempt, CONFLICT_RETRY), signal);
    }
  }

  /** False: there was no such token. */
  async remove(id: string, signal: AbortSignal): Promise<boolean> {
    const [result] = await this.#store.delete([{ key: TOKEN_PREFIX + id }], { signal });
    return result?.written === true;
  }

  #put(token: Token) {
    const ttlMs = Math.max(1, token.expiresAt + KEPT_AFTER_END_MS - this.#now());
    return { key: TOKEN_PREFIX + token.id, value: encodeToken(token), ttlMs };
  }
}

function encodeToken(token: Token): string {
  const { instance } = token;
  const value: z.input<typeof stored> = {
    v: 1,
    hash: token.secretHash,
    role: token.role,
    name: token.name,
    instance: instance === undefined ? null : [instance.account, instance.region, instance.instance],
    uses: token.usesLeft,
    until: token.expiresAt,
    by: token.createdBy,
  };
  return JSON.stringify(value);
}

/** Undefined for one of a version that is not known here: it lets nobody in. */
export function decodeToken({ key, value }: Pick<Entry, 'key' | 'value'>): Token | undefined {
  const result = stored.safeParse(parsed(value));
  if (!result.success) return undefined;
  const { hash, role, name, uses, until, by } = result.data;
  const instance = decodeInstance(result.data.instance);
  if (instance === undefined) return undefined;
  return {
    id: key.slice(TOKEN_PREFIX.length),
    secretHash: hash,
    role,
    name,
    instance: instance ?? undefined,
    usesLeft: uses,
    expiresAt: until,
    createdBy: by,
  };
}

function parsed(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

/** Null: there is none; undefined: it cannot be read, and a token must not become one for any instance. */
function decodeInstance(parts: readonly [string, string, string] | null): InstanceKey | null | undefined {
  if (parts === null) return null;
  const [account, region, instance] = parts;
  return parseInstanceKey({ account, region, instance });
}

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseInstanceKey } from '@tagplane/identity';
import { HOUR, MINUTE } from '@tagplane/runtime';
import { openEmbeddedStore } from '@tagplane/store-embedded';
import { secretHash } from './token-text.ts';
import { Tokens, decodeToken } from './tokens.ts';
import type { TokenSpec } from './tokens.ts';

const signal = new AbortController().signal;
const INSTANCE = parseInstanceKey({
  account: '123456789012',
  region: 'eu-central-1',
  instance: 'i-0123456789abcdef0',
});

describe('tokens', () => {
  let store: ReturnType<typeof openEmbeddedStore>;
  let tokens: Tokens;
  let now = 0;
  beforeEach(() => {
    now = Date.now();
    store = openEmbeddedStore({ path: ':memory:', kind: 'security' });
    tokens = new Tokens({ store, now: () => now });
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
  });

  const spec: TokenSpec = {
    role: 'agent',
    name: 'web-1',
    instance: INSTANCE,
    uses: 2,
    ttlMs: HOUR,
    createdBy: 'operator/ada',
  };

  it('are kept with a hash of their secret, and read as they were made', async () => {
    const { token, parts } = await tokens.add(spec, signal);
    expect(token).toEqual({
      id: parts.id,
      secretHash: secretHash(parts.secret).toString('hex'),
      role: 'agent',
      name: 'web-1',
      instance: INSTANCE,
      usesLeft: 2,
      expiresAt: now + HOUR,
      createdBy: 'operator/ada',
    });
    expect(await tokens.get(token.id, signal)).toEqual(token);
    const [entry] = await store.range({ prefix: '', limit: 10 }, { signal });
    expect(entry?.key).toBe(`token/${token.id}`);
    expect(entry?.value).not.toContain(parts.secret);
    // A day longer than it is good for.
    expect(Math.abs((entry?.expiresAt ?? 0) - (now + 25 * HOUR))).toBeLessThan(MINUTE);
  });

  it('lose a use each time, and stay when there is none left', async () => {
    const { token } = await tokens.add(spec, signal);
    expect(await tokens.spend(token.id, signal)).toBe('spent');
    expect(await tokens.spend(token.id, signal)).toBe('spent');
    expect(await tokens.spend(token.id, signal)).toBe('used up');
    expect(await tokens.get(token.id, signal)).toMatchObject({ usesLeft: 0, expiresAt: token.expiresAt });
  });

  it('are spent just as often as they may be, by however many at once', async () => {
    const { token } = await tokens.add({ ...spec, uses: 3 }, signal);
    const ends = await Promise.all(Array.from({ length: 20 }, () => tokens.spend(token.id, signal)));
    expect(ends.filter((end) => end === 'spent')).toHaveLength(3);
    expect(ends.filter((end) => end === 'used up')).toHaveLength(17);
  });

  it('are gone when they are removed', async () => {
    const { token } = await tokens.add(spec, signal);
    expect(await tokens.remove(token.id, signal)).toBe(true);
    expect(await tokens.remove(token.id, signal)).toBe(false);
    expect(await tokens.get(token.id, signal)).toBeUndefined();
    expect(await tokens.spend(token.id, signal)).toBe('gone');
  });

  it.each([
    ['another version', { v: 2 }],
    ['an instance that is none', { instance: ['1', '2', '3'] }],
    ['another role', { role: 'auth' }],
    ['less than no uses', { uses: -1 }],
  ])('with %s let nobody in', async (_what, change) => {
    const { token } = await tokens.add(spec, signal);
    const [entry] = await store.range({ prefix: '', limit: 1 }, { signal });
    const value = { ...(JSON.parse(entry?.value ?? '') as object), ...change };
    const key = `token/${token.id}`;
    await store.put([{ key, value: JSON.stringify(value), ttlMs: undefined }], { signal });
    expect(await tokens.get(token.id, signal)).toBeUndefined();
    expect(decodeToken({ key, value: 'no JSON' })).toBeUndefined();
  });
});

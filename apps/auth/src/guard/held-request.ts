import { hash } from 'node:crypto';
import { z } from 'zod';
import { parseJson } from './hold.ts';

/** What an operator asked for, as it can be asked again. */
export type HeldRequest =
  | { readonly kind: 'upsert'; readonly serverInfos: readonly Uint8Array[]; readonly createOnly: boolean }
  | { readonly kind: 'delete'; readonly names: readonly string[] };

/** A value of the store. */
export const MAX_HELD_BYTES = 1_024 * 1_024;

const stored = z.discriminatedUnion('kind', [
  z.object({ v: z.literal(1), kind: z.literal('upsert'), items: z.array(z.base64()), create: z.boolean() }),
  z.object({ v: z.literal(1), kind: z.literal('delete'), names: z.array(z.string()) }),
]);

/** The value for the store, under `guard/request/ID`. */
export function encodeHeldRequest(request: HeldRequest): string {
  const value: z.input<typeof stored> =
    request.kind === 'delete'
      ? { v: 1, kind: 'delete', names: [...request.names] }
      : {
          v: 1,
          kind: 'upsert',
          items: request.serverInfos.map((item) => Buffer.from(item).toString('base64')),
          create: request.createOnly,
        };
  return JSON.stringify(value);
}

/** Undefined for one of a version that is not known here. */
export function decodeHeldRequest(value: string): HeldRequest | undefined {
  const parsed = stored.safeParse(parseJson(value));
  if (!parsed.success) return undefined;
  const { data } = parsed;
  if (data.kind === 'delete') return { kind: 'delete', names: data.names };
  const serverInfos = data.items.map((item) => new Uint8Array(Buffer.from(item, 'base64')));
  return { kind: 'upsert', serverInfos, createOnly: data.create };
}

/** Equal for equal requests: 128 bits of SHA-256. */
export function requestFingerprint(encoded: string): string {
  return hash('sha256', encoded, 'hex').slice(0, 32);
}

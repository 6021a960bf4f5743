import { z } from 'zod';

/** Where the record is, in the store of what decides who may do what. */
export const CA_KEY = 'ca/current';

/** An authority as it is kept. */
export interface StoredAuthority {
  /** PEM. */
  readonly certificate: string;
  /** Its private key (PKCS#8 in PEM), sealed; see `sealedAuthority`. */
  readonly sealedKey: string;
}

interface CaFacts {
  readonly cluster: string;
  /** Unix milliseconds; with it two records are told apart that were made for the same cluster. */
  readonly createdAt: number;
  /** Unix milliseconds. */
  readonly phaseSince: number;
  /** Rises with every step: holders of an older one get the new bundle. */
  readonly generation: number;
  /** When the first operator's credentials were made, and whose (`role/name`). */
  readonly bootstrap: { readonly at: number; readonly by: string } | undefined;
}

/** One authority, trusted and signing. */
export interface StableCa extends CaFacts {
  readonly phase: 'stable';
  readonly authority: StoredAuthority;
}

/** Both are trusted; the old one signs (`trusting`), or the new one (`signing`). */
export interface RotatingCa extends CaFacts {
  readonly phase: 'trusting' | 'signing';
  readonly old: StoredAuthority;
  readonly fresh: StoredAuthority;
  /** PEM: the new authority's key and subject, signed by the old one. */
  readonly cross: string;
}

/** The cluster's certificate authority, as all auth processes share it. */
export type CaRecord = StableCa | RotatingCa;
export type CaPhaseName = CaRecord['phase'];

/** A stored value that is no such record. The message holds nothing of it. */
export class CaRecordError extends Error {
  override readonly name = 'CaRecordError';
}

const VERSION = 1;

const authority = z.object({ certificate: z.string(), sealed_key: z.string() });
const facts = {
  version: z.literal(VERSION),
  cluster: z.string(),
  created_at: z.int(),
  phase_since: z.int(),
  generation: z.int().min(1),
  bootstrap: z.object({ at: z.int(), by: z.string() }).optional(),
};
const stored = z.discriminatedUnion('phase', [
  z.object({ ...facts, phase: z.literal('stable'), authority }),
  z.object({
    ...facts,
    phase: z.enum(['trusting', 'signing']),
    old: authority,
    fresh: authority,
    cross: z.string(),
  }),
]);

export function encodeCaRecord(record: CaRecord): string {
  const common = {
    version: VERSION,
    cluster: record.cluster,
    created_at: record.createdAt,
    phase_since: record.phaseSince,
    generation: record.generation,
    bootstrap: record.bootstrap,
  } as const;
  const value: z.input<typeof stored> =
    record.phase === 'stable'
      ? { ...common, phase: record.phase, authority: packed(record.authority) }
      : {
          ...common,
          phase: record.phase,
          old: packed(record.old),
          fresh: packed(record.fresh),
          cross: record.cross,
        };
  return JSON.stringify(value);
}

/** @throws CaRecordError */
export function decodeCaRecord(value: string): CaRecord {
  const record = parse(value);
  const common = {
    cluster: record.cluster,
    createdAt: record.created_at,
    phaseSince: record.phase_since,
    generation: record.generation,
    bootstrap: record.bootstrap,
  };
  if (record.phase === 'stable') {
    return { ...common, phase: record.phase, authority: unpacked(record.authority) };
  }
  const { phase, old, fresh, cross } = record;
  return { ...common, phase, old: unpacked(old), fresh: unpacked(fresh), cross };
}

/** All that are trusted, the one that signs first. */
export function trustedAuthorities(record: CaRecord): readonly [StoredAuthority, ...StoredAuthority[]] {
  switch (record.phase) {
    case 'stable':
      return [record.authority];
    case 'trusting':
      return [record.old, record.fresh];
    case 'signing':
      return [record.fresh, record.old];
  }
}

function packed({ certificate, sealedKey }: StoredAuthority): z.input<typeof authority> {
  return { certificate, sealed_key: sealedKey };
}

function unpacked({ certificate, sealed_key }: z.output<typeof authority>): StoredAuthority {
  return { certificate, sealedKey: sealed_key };
}

function parse(value: string): z.output<typeof stored> {
  let json: unknown;
  try {
    json = JSON.parse(value);
  } catch {
    // The parser's own message quotes the text.
    throw new CaRecordError('the stored authority cannot be read: not JSON');
  }
  const result = stored.safeParse(json);
  if (result.success) return result.data;
  const at = result.error.issues[0]?.path.join('.') ?? '';
  throw new CaRecordError(`the stored authority cannot be read: unexpected at ${JSON.stringify(at)}`);
}

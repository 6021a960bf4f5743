import type { SignedStatement } from '@tagplane/credentials';
import { parseInstanceKey, parseServerId } from '@tagplane/identity';
import type { InstanceKey, ServerId } from '@tagplane/identity';
import { NAMESPACES, labelsRevision, nodeSetProblem } from '@tagplane/labels';
import type { ClockReading, HeldLabels, HeldSet } from '@tagplane/session';
import * as z from 'zod';
import type { IdentityRecord } from './identity.ts';
import { encodeSigned, signedField } from './sealed/signed-field.ts';

/** Whose labels a file has. */
export interface LabelOwner {
  readonly serverId: ServerId;
  readonly instance: InstanceKey | undefined;
}

export interface StoredLabels {
  readonly owner: LabelOwner;
  readonly held: HeldLabels;
  /** The auth service's word for them; undefined without TLS. */
  readonly signed: SignedStatement | undefined;
}

const VERSION = 1;

export const serverIdField = z.string().transform((text, context) => {
  const id = parseServerId(text);
  if (id === undefined) context.addIssue({ code: 'custom', message: 'not a server id' });
  return id ?? z.NEVER;
});

export const instanceField = z
  .strictObject({ account: z.string(), region: z.string(), instance: z.string() })
  .transform((parts, context) => {
    const key = parseInstanceKey(parts);
    if (key === undefined) context.addIssue({ code: 'custom', message: 'not an instance' });
    return key ?? z.NEVER;
  })
  .optional();

const duration = z.number().min(0).optional();

const identityFile = z.strictObject({
  version: z.literal(VERSION),
  server_id: serverIdField,
  generated: z.boolean(),
  instance: instanceField,
  boot: z.string(),
});

export const clockField = z
  .strictObject({ wall_ms: z.number(), monotonic_ms: z.number(), boot: z.string() })
  .transform(({ wall_ms, monotonic_ms, boot }): ClockReading => {
    return { wallMs: wall_ms, monotonicMs: monotonic_ms, boot };
  });

const labelsContent = z.strictObject({
  server_id: serverIdField,
  instance: instanceField,
  revision: z.string(),
  as_of: clockField,
  sets: z.array(
    z.strictObject({
      namespace: z.enum(NAMESPACES),
      // Pairs, not an object: a reader may not keep a key such as `__proto__`.
      labels: z.array(z.tuple([z.string(), z.string()])),
      age_ms: duration,
      remaining_ms: duration,
    }),
  ),
  signed: signedField.optional(),
});

export function encodeIdentity(record: IdentityRecord): string {
  const { serverId, generated, instance, boot } = record;
  return `${JSON.stringify({ version: VERSION, server_id: serverId, generated, instance, boot })}\n`;
}

/** @throws Error when the text is no such file; its message holds no content */
export function decodeIdentity(text: string): IdentityRecord {
  const { server_id, generated, instance, boot } = parse(identityFile, text);
  return { serverId: server_id, generated, instance, boot };
}

/** What is sealed. */
export function encodeLabels({ owner, held, signed }: StoredLabels): unknown {
  const content: z.input<typeof labelsContent> = {
    server_id: owner.serverId,
    instance: owner.instance,
    revision: held.revision,
    as_of: encodeClock(held.asOf),
    sets: held.sets.map(({ namespace, labels, ageMs, remainingMs }) => ({
      namespace,
      labels: [...labels],
      age_ms: finite(ageMs),
      remaining_ms: remainingMs,
    })),
    signed: signed && encodeSigned(signed),
  };
  return content;
}

export function encodeClock({ wallMs, monotonicMs, boot }: ClockReading): z.input<typeof clockField> {
  return { wall_ms: wallMs, monotonic_ms: monotonicMs, boot };
}

/** @throws Error when it is no such content, or not whole; its message holds no label */
export function decodeLabels(content: unknown): StoredLabels {
  const file = shaped(labelsContent, content);
  const sets = file.sets.map(({ namespace, labels, age_ms, remaining_ms }): HeldSet => {
    const map = new Map(labels);
    if (nodeSetProblem(namespace, map) !== undefined)
      throw new Error(`labels that ${namespace} may not hold`);
    return { namespace, labels: map, ageMs: age_ms, remainingMs: remaining_ms };
  });
  if (labelsRevision(new Map(sets.flatMap((set) => [...set.labels]))) !== file.revision) {
    throw new Error('the labels do not have the revision beside them');
  }
  return {
    owner: { serverId: file.server_id, instance: file.instance },
    held: { revision: file.revision, sets, asOf: file.as_of },
    signed: file.signed,
  };
}

function parse<Schema extends z.ZodType>(schema: Schema, text: string): z.output<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, labels and all.
    throw new Error('not JSON');
  }
  return shaped(schema, value);
}

/** @throws Error naming where it is of another shape; the message holds none of the values */
export function shaped<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Error(`not what an agent writes, at ${issue?.path.slice(0, 3).join('.') ?? ''}`);
}

/** JSON has no Infinity; an age that cannot be told is unknown. */
function finite(ms: number | undefined): number | undefined {
  return ms === undefined || Number.isFinite(ms) ? ms : undefined;
}

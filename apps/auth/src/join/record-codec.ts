import { parseInstanceKey } from '@tagplane/identity';
import type { InstanceKey } from '@tagplane/identity';
import { z } from 'zod';
import { JOIN_ROLES } from './roles.ts';
import type { JoinRole } from './roles.ts';

/** Under `join/name/ROLE/NAME`: who has this name. */
export interface NameRecord {
  readonly method: string;
  /** In a few words: a token's id, a role's ARN. */
  readonly proof: string;
  readonly instance: InstanceKey | undefined;
  readonly principal: string | undefined;
  /** Unix milliseconds; the last time. */
  readonly joinedAt: number;
  readonly remoteAddress: string;
}

/** Under `join/instance/ACCOUNT/REGION/ID`: the server id that the instance has. */
export interface InstanceRecord {
  readonly name: string;
  readonly method: string;
  readonly joinedAt: number;
  readonly remoteAddress: string;
}

/** A record of a version that is not known here: what it stands for is taken, by whom cannot be said. */
export class JoinRecordError extends Error {
  override readonly name = 'JoinRecordError';
}

export const NAME_PREFIX = 'join/name/';

export function nameKey(role: JoinRole, name: string): string {
  return `${NAME_PREFIX}${role}/${name}`;
}

/** Undefined for a key of something else. */
export function parseNameKey(key: string): { readonly role: JoinRole; readonly name: string } | undefined {
  const [word = '', name = '', ...rest] = key.slice(NAME_PREFIX.length).split('/');
  const role = JOIN_ROLES.find((known) => known === word);
  return role === undefined || name === '' || rest.length > 0 ? undefined : { role, name };
}

export function instanceRecordKey({ account, region, instance }: InstanceKey): string {
  return `join/instance/${account}/${region}/${instance}`;
}

const common = { v: z.literal(1), method: z.string(), at: z.int(), from: z.string() };
const nameValue = z.object({
  ...common,
  proof: z.string(),
  instance: z.tuple([z.string(), z.string(), z.string()]).nullable(),
  principal: z.string().nullable(),
});
const instanceValue = z.object({ ...common, name: z.string() });

export function encodeNameRecord(record: NameRecord): string {
  const { method, proof, instance, principal, joinedAt, remoteAddress } = record;
  const value: z.input<typeof nameValue> = {
    v: 1,
    method,
    proof,
    instance: instance === undefined ? null : [instance.account, instance.region, instance.instance],
    principal: principal ?? null,
    at: joinedAt,
    from: remoteAddress,
  };
  return JSON.stringify(value);
}

/** @throws JoinRecordError */
export function decodeNameRecord(text: string): NameRecord {
  const { method, proof, instance: parts, principal, at, from } = read(nameValue, text);
  const [account = '', region = '', id = ''] = parts ?? [];
  const instance = parts === null ? undefined : parseInstanceKey({ account, region, instance: id });
  if (parts !== null && instance === undefined) throw new JoinRecordError('a join record names no instance');
  return { method, proof, instance, principal: principal ?? undefined, joinedAt: at, remoteAddress: from };
}

export function encodeInstanceRecord({ name, method, joinedAt, remoteAddress }: InstanceRecord): string {
  const value: z.input<typeof instanceValue> = { v: 1, name, method, at: joinedAt, from: remoteAddress };
  return JSON.stringify(value);
}

/** @throws JoinRecordError */
export function decodeInstanceRecord(text: string): InstanceRecord {
  const { name, method, at, from } = read(instanceValue, text);
  return { name, method, joinedAt: at, remoteAddress: from };
}

function read<Schema extends z.ZodType>(schema: Schema, text: string): z.output<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new JoinRecordError('a join record is no JSON');
  }
  const result = schema.safeParse(value);
  if (!result.success) throw new JoinRecordError('a join record is of an unknown version');
  return result.data;
}

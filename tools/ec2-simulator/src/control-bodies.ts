import { AwsError } from './aws-error.ts';
import type { RunOptions, TagChanges } from './fleet-control.ts';
import { isInstanceState } from './fleet/instance.ts';
import type { InstanceState } from './fleet/instance.ts';

/** A request's members. */
export type Body = Readonly<Record<string, unknown>>;

export const MAX_COUNT = 1_000_000;

/** A JSON object; an empty text is an empty one. Throws AwsError, as all readers here do. */
export function readObject(text: string): Body {
  let value: unknown = {};
  try {
    if (text !== '') value = JSON.parse(text);
  } catch {
    throw bad('the body is no JSON');
  }
  return object(value, 'the body');
}

/** An object of texts. */
export function readTags(value: unknown, name: string): Map<string, string> {
  const entries = Object.entries(object(value, name));
  return new Map(entries.map(([key, text]) => [key, string(text, `${name}: each value`)]));
}

export function readTagChanges({ set, unset }: Body): TagChanges {
  if (unset !== undefined && !Array.isArray(unset)) throw bad('unset: a list of keys');
  return {
    set: set === undefined ? undefined : readTags(set, 'set'),
    unset: unset?.map((key: unknown) => string(key, 'unset: each key')),
  };
}

export function readState({ state }: Body): InstanceState {
  if (typeof state !== 'string' || !isInstanceState(state)) throw bad('state: the name of an EC2 state');
  return state;
}

export function readRun({ region, count, tags, account, platform }: Body): RunOptions {
  return {
    region: string(region, 'region'),
    count: integer(count, 'count', 1, MAX_COUNT, 1),
    tags: tags === undefined ? undefined : readTags(tags, 'tags'),
    account: optionalString(account, 'account'),
    windows: optionalString(platform, 'platform') === 'windows',
  };
}

export function object(value: unknown, name: string): Body {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw bad(`${name}: a JSON object`);
  return value as Body;
}

export function string(value: unknown, name: string): string {
  if (typeof value !== 'string') throw bad(`${name}: a text`);
  return value;
}

export function optionalString(value: unknown, name: string): string | undefined {
  return value === undefined ? undefined : string(value, name);
}

export function integer(value: unknown, name: string, least: number, most: number, fallback: number): number {
  if (value === undefined) return fallback;
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw bad(`${name}: a whole number from ${least} to ${most}`);
}

export function bad(message: string): AwsError {
  return new AwsError('BadRequest', message);
}

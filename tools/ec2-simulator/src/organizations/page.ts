import { AwsError } from '../aws-error.ts';
import type { JsonInput } from '../json-service.ts';

/** What Organizations gives at most, and by default (its API reference). */
const MAX_RESULTS = 20;

/** One page of a list: `{[name]: items, NextToken?}`. Throws AwsError for a token that is none. */
export function page(name: string, items: readonly object[], input: JsonInput): object {
  const { MaxResults: limit = MAX_RESULTS, NextToken: token } = input;
  if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 1 || limit > MAX_RESULTS) {
    throw invalid('MaxResults');
  }
  const start = token === undefined ? 0 : readToken(name, token);
  const end = start + limit;
  return {
    [name]: items.slice(start, end),
    ...(end < items.length ? { NextToken: Buffer.from(`${name} ${end}`).toString('base64url') } : {}),
  };
}

function readToken(name: string, token: unknown): number {
  const text = typeof token === 'string' ? Buffer.from(token, 'base64url').toString() : '';
  const [, list, position] = /^(\w+) (\d{1,6})$/.exec(text) ?? [];
  if (list !== name || position === undefined) throw invalid('NextToken');
  return Number(position);
}

function invalid(name: string): AwsError {
  return new AwsError('InvalidInputException', `You specified an invalid value for ${name}.`);
}

import { AwsError } from '../aws-error.ts';
import type { JsonInput } from '../json-service.ts';

export function text(input: JsonInput, name: string): string {
  const value = input[name];
  if (typeof value === 'string' && value !== '') return value;
  throw invalid(`${name} is required`);
}

export function optionalText(input: JsonInput, name: string): string {
  const value = input[name] ?? '';
  if (typeof value === 'string') return value;
  throw invalid(`${name} is a text`);
}

export function wholeNumber(
  input: JsonInput,
  name: string,
  [min, max, otherwise]: [number, number, number],
): number {
  const value = input[name] ?? otherwise;
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw invalid(`${name} is a whole number from ${min} to ${max}`);
}

export function texts(value: unknown, name: string): string[] {
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value;
  throw invalid(`${name} is a list of texts`);
}

/** Filters by key, in either of the two forms that SSM has. */
export function filters(
  input: JsonInput,
  name: string,
  keyName: string,
  valuesName: string,
): Map<string, string[]> {
  const list: unknown = input[name] ?? [];
  if (!Array.isArray(list)) throw invalid(`${name} is a list`);
  return new Map(
    list.map((each: unknown): [string, string[]] => {
      if (typeof each !== 'object' || each === null) throw invalid(`${name}: each is an object`);
      const filter = each as JsonInput;
      return [text(filter, keyName), texts(filter[valuesName], `${name}: ${valuesName}`)];
    }),
  );
}

/** A page of what comes, and where the next one starts. */
export function page<Item>(
  items: readonly Item[],
  input: JsonInput,
  limit: number,
): { readonly items: readonly Item[]; readonly next: { NextToken?: string } } {
  const start = readToken(input);
  const end = start + limit;
  return { items: items.slice(start, end), next: end < items.length ? tokenOf(end) : {} };
}

export function tokenOf(position: number): { NextToken: string } {
  return { NextToken: Buffer.from(`ssm ${position}`).toString('base64url') };
}

export function readToken({ NextToken: token }: JsonInput): number {
  if (token === undefined || token === null || token === '') return 0;
  const text = typeof token === 'string' ? Buffer.from(token, 'base64url').toString() : '';
  const [, position] = /^ssm (\d{1,9})$/.exec(text) ?? [];
  if (position !== undefined) return Number(position);
  throw new AwsError('InvalidNextToken', 'The specified token is not valid.');
}

export function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message);
}

import { AwsError, invalidValue, missingParameter } from '../aws-error.ts';

/** One member of a list parameter: what follows its index, with the value. */
export type ListMember = ReadonlyMap<string, string>;

/**
 * The members of a list in the EC2 query form, by rising index: `Tag.1.Key=a&Tag.1.Value=b` gives one
 * member of `Key` and `Value`; a plain `ResourceId.1=i-…` is under the empty name.
 */
export function listOf(parameters: URLSearchParams, name: string): ListMember[] {
  const members = new Map<number, Map<string, string>>();
  const prefix = `${name}.`;
  for (const [key, value] of parameters) {
    if (!key.startsWith(prefix)) continue;
    const [, index, rest] = /^([1-9]\d{0,5})(?:\.(.+))?$/.exec(key.slice(prefix.length)) ?? [];
    if (index === undefined) throw new AwsError('UnknownParameter', `The parameter ${key} is not recognized`);
    const member = members.get(Number(index)) ?? new Map<string, string>();
    members.set(Number(index), member.set(rest ?? '', value));
  }
  return [...members].sort(([a], [b]) => a - b).map(([, member]) => member);
}

/** The values of a list of plain texts, such as `InstanceId.N`. */
export function textsOf(parameters: URLSearchParams, name: string): string[] {
  return listOf(parameters, name).map((member) => member.get('') ?? '');
}

/** The values of a list inside a list's member, such as `Filter.N.Value.M`. */
export function nestedTexts(member: ListMember, name: string): string[] {
  return textsOf(new URLSearchParams([...member]), name);
}

export function required(parameters: URLSearchParams, name: string): string {
  const value = parameters.get(name);
  if (value === null || value === '') throw missingParameter(name);
  return value;
}

export function requiredInteger(parameters: URLSearchParams, name: string): number {
  const text = required(parameters, name);
  if (!/^\d{1,9}$/.test(text)) throw invalidValue(`Invalid value '${text}' for ${name}. Must be an integer.`);
  return Number(text);
}

export const MIN_RESULTS = 5;
export const MAX_RESULTS = 1000;

/** `MaxResults`, within the bounds that EC2 sets; undefined when it was not given. */
export function maxResults(parameters: URLSearchParams): number | undefined {
  if (!parameters.has('MaxResults')) return undefined;
  const value = requiredInteger(parameters, 'MaxResults');
  const problem =
    value < MIN_RESULTS
      ? `greater than ${MIN_RESULTS}`
      : value > MAX_RESULTS
        ? `less than ${MAX_RESULTS}`
        : undefined;
  if (problem === undefined) return value;
  throw invalidValue(`Value ( ${value} ) for parameter maxResults is invalid. Expecting a value ${problem}.`);
}

/** Ends a request that only asked whether it would be allowed. */
export function refuseDryRun(parameters: URLSearchParams): void {
  if (parameters.get('DryRun') !== 'true') return;
  throw new AwsError('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.', 412);
}

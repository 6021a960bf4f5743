import { usageError } from './errors.ts';

/**
 * The one flag of these that was given, and its value.
 *
 * @throws TagctlError (usage) when none was, or more than one
 */
export function oneOf<Flags extends Readonly<Record<string, unknown>>>(flags: Flags): OneOf<Flags> {
  const [first, ...others] = Object.entries(flags).filter(([, value]) => value !== undefined);
  if (first !== undefined && others.length === 0) return first as unknown as OneOf<Flags>;
  const names = Object.keys(flags).map((name) => `--${name}`);
  const last = names.pop() ?? '';
  const more = first === undefined ? '' : ', not more than one';
  throw usageError(`give one of ${names.join(', ')} or ${last}${more}`);
}

type OneOf<Flags> = {
  [Name in keyof Flags & string]-?: readonly [name: Name, value: NonNullable<Flags[Name]>];
}[keyof Flags & string];

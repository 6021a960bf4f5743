import type { Selector } from '@tagplane/labels';
import type { AccessRequest } from '../decide.ts';
import type { NodeLabels } from '../node-labels.ts';
import type { AccessRole, AccessRule } from '../role.ts';

export interface PlainDecision {
  readonly allowed: boolean;
  readonly grantedBy: readonly string[];
}

/**
 * The rules of docs/access.md as they read, one by one: nothing is compiled, kept or shared with `decide`. For
 * tests and as the floor of benchmarks; its regular expressions are JavaScript's, with no bound on their time.
 */
export function referenceDecide(
  labels: NodeLabels,
  roles: readonly AccessRole[],
  request: AccessRequest,
  now: number,
): PlainDecision {
  const held = roles.filter(({ name }) => request.roles.includes(name));
  const refused = { allowed: false, grantedBy: [] };
  if (request.login === '') return refused;
  for (const role of held) {
    for (const rule of role.deny) {
      if (isFor(rule, request) && truthOf(rule.nodeLabels, labels, role, now) !== false) return refused;
    }
  }
  const grantedBy = held
    .filter((role) =>
      role.allow.some((rule) => isFor(rule, request) && truthOf(rule.nodeLabels, labels, role, now) === true),
    )
    .map(({ name }) => name)
    .sort();
  return { allowed: grantedBy.length > 0, grantedBy };
}

/** The logins that a rule stands for, templates written out. */
function isFor(rule: AccessRule, { login, traits }: AccessRequest): boolean {
  const logins = rule.logins.flatMap((each) => {
    const start = each.indexOf('{{traits.');
    if (start < 0) return [each === '*' ? login : each];
    const end = each.indexOf('}}', start);
    const values = traits.get(each.slice(start + '{{traits.'.length, end)) ?? [];
    return values.map((value) => each.slice(0, start) + value + each.slice(end + 2));
  });
  return logins.includes(login);
}

/** True, false, or undefined: unknown. */
function truthOf(
  { terms }: Selector,
  labels: NodeLabels,
  role: AccessRole,
  now: number,
): boolean | undefined {
  const truths = terms.map(({ key, values }) => {
    if (key === '*') return true;
    const value = knownValue(key, labels, role, now);
    return value === undefined ? undefined : values.some((pattern) => toRegExp(pattern).test(value));
  });
  if (truths.includes(false)) return false;
  return truths.includes(undefined) ? undefined : true;
}

function knownValue(key: string, { sets }: NodeLabels, role: AccessRole, now: number): string | undefined {
  const discovered = sets.some(({ source }) => source === 'discovered');
  const last = sets
    .filter(({ source }) => !(discovered && source === 'imported'))
    .findLast((set) => set.labels.has(key));
  if (last === undefined) return undefined;
  const { observedAt, expiresAt } = last;
  if (expiresAt !== undefined && now >= expiresAt) return undefined;
  const { maxLabelAgeMs } = role;
  if (observedAt !== undefined && maxLabelAgeMs !== undefined && now - observedAt >= maxLabelAgeMs) {
    return undefined;
  }
  return last.labels.get(key);
}

function toRegExp(pattern: string): RegExp {
  if (pattern.startsWith('^')) return new RegExp(`^(?:${pattern})$`, 'u');
  const source = pattern.replaceAll(/\\([*\\^])|\*|[\s\S]/gu, (piece, escaped?: string) =>
    piece === '*' ? '[^]*' : literal(escaped ?? piece),
  );
  return new RegExp(`^${source}$`, 'u');
}

function literal(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

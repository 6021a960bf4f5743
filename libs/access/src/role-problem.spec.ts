import { describe, expect, it } from '@jest/globals';
import { EVERY_NODE, parseSelector } from '@tagplane/labels';
import { RoleError, compileRoles } from './compiled-roles.ts';
import { MAX_ROLES, roleProblem, rolesProblem } from './role-problem.ts';
import type { AccessRole, AccessRule } from './role.ts';

const RULE: AccessRule = { logins: ['root'], nodeLabels: EVERY_NODE };

function role(change: Partial<AccessRole> = {}): AccessRole {
  return { name: 'dev', description: '', allow: [RULE], deny: [], maxLabelAgeMs: undefined, ...change };
}

function numbered(count: number, change: (index: number) => Partial<AccessRole> = () => ({})): AccessRole[] {
  return Array.from({ length: count }, (_, index) => role({ name: `r${index}`, ...change(index) }));
}

const logins = (...texts: string[]): Partial<AccessRole> => ({ allow: [{ ...RULE, logins: texts }] });

describe('roleProblem', () => {
  it.each<[string, Partial<AccessRole>]>([
    ['no rules', { allow: [] }],
    ['a name of all it may have', { name: `0${'a._-Z'.repeat(25)}00` }],
    [
      '64 rules each way',
      { allow: Array<AccessRule>(64).fill(RULE), deny: Array<AccessRule>(64).fill(RULE) },
    ],
    ['an age of a millisecond', { maxLabelAgeMs: 1 }],
    ['templates', logins('{{traits.logins}}', 'dev-{{traits.a.b_c-1}}-x', 'x', '*')],
    ['single braces', logins('{x}')],
    ['as many logins as there may be', logins(...Array.from({ length: 256 }, (_, index) => `u${index}`))],
  ])('lets %s pass', (_, change) => {
    expect(roleProblem(role(change))).toBeUndefined();
  });

  it.each<[Partial<AccessRole>, string | RegExp]>([
    [{ name: '' }, /^role name "" is not letters/],
    [{ name: '-a' }, /^role name "-a" is not letters/],
    [{ name: 'a b' }, /is not letters/],
    [{ name: 'a\n' }, /^role name "a\\n" is not letters/],
    [{ name: 'ä' }, /is not letters/],
    [{ name: 'a'.repeat(129) }, "a role's name has at most 128 characters"],
    [{ description: 'a'.repeat(1025) }, "a role's description has at most 1024 characters"],
    [{ maxLabelAgeMs: 0 }, /^max_label_age is a whole number/],
    [{ maxLabelAgeMs: -1 }, /^max_label_age/],
    [{ maxLabelAgeMs: 1.5 }, /^max_label_age/],
    [{ maxLabelAgeMs: NaN }, /^max_label_age/],
    [{ maxLabelAgeMs: Infinity }, /^max_label_age/],
    [{ allow: Array<AccessRule>(65).fill(RULE) }, '65 allow rules, but a role has at most 64'],
    [{ deny: Array<AccessRule>(65).fill(RULE) }, '65 deny rules, but a role has at most 64'],
    [logins(), 'allow rule 1: it has no logins'],
    [logins(''), 'allow rule 1: a login is not empty'],
    [logins('x'.repeat(257)), 'allow rule 1: a login has at most 256 characters'],
    [logins('web-*'), 'allow rule 1: login "web-*": * stands alone, for any login'],
    [logins('**'), 'allow rule 1: login "**": * stands alone, for any login'],
    [logins('{{logins}}'), /^allow rule 1: login "\{\{logins\}\}": a template is \{\{traits\.NAME\}\}, once/],
    [logins('{{traits.a}}{{traits.b}}'), /a template is/],
    [logins('{{ traits.a }}'), /a template is/],
    [logins('{{traits.}}'), /a template is/],
    [logins('x}}'), /a template is/],
    [logins('\ud800'), 'allow rule 1: a login is well-formed Unicode'],
    [
      logins(...Array.from({ length: 257 }, (_, index) => `u${index}`)),
      'allow rule 1: it has more than 256 logins',
    ],
    [
      { deny: [RULE, { ...RULE, nodeLabels: { terms: [] } }] },
      'deny rule 2: node_labels: a selector has at least one term, at character 1 of ""',
    ],
    [
      { deny: [{ ...RULE, nodeLabels: { terms: [{ key: 'a', values: ['^b'] }] } }] },
      /^deny rule 1: node_labels: a regular expression ends with \$ .*, at character 3 of "\^b"$/,
    ],
  ])('refuses %j', (change, problem) => {
    const found = roleProblem(role(change)) ?? 'none';
    if (problem instanceof RegExp) expect(found).toMatch(problem);
    else expect(found).toBe(problem);
    expect(found).not.toContain('\n');
  });
});

describe('rolesProblem', () => {
  it('lets as many roles pass as there may be, and not one more', () => {
    expect(rolesProblem(numbered(MAX_ROLES))).toBeUndefined();
    expect(rolesProblem(numbered(MAX_ROLES + 1))).toBe('2001 roles, but there are at most 2000');
  });

  it('names the role that is wrong', () => {
    expect(rolesProblem([role(), role({ name: 'ops', ...logins('') })])).toBe(
      'role ops: allow rule 1: a login is not empty',
    );
    expect(rolesProblem([role(), role()])).toBe('role dev is there twice');
  });

  it('bounds their content together, in bytes', () => {
    const large = numbered(1000, () => ({ description: 'ä'.repeat(550) }));
    expect(rolesProblem(large)).toMatch(/^roles of 1\d{6} bytes, but all have at most 1048576$/);
    expect(rolesProblem(large.slice(0, 800))).toBeUndefined();
  });

  it('bounds what their regular expressions may cost', () => {
    const nodeLabels = parseSelector('a=^x{900}$, b=^x{901}$, c=^x{902}$, d=^x{903}$, e=^x{904}$');
    const costly = numbered(12, () => ({ allow: [{ ...RULE, nodeLabels }] }));
    expect(rolesProblem(costly)).toMatch(/^regular expressions of 54\d{3} instructions/);
    expect(rolesProblem(costly.slice(0, 10))).toBeUndefined();
  });
});

describe('compileRoles', () => {
  it('takes no roles that break a rule', () => {
    expect(() => compileRoles([role(), role()])).toThrow(new RoleError('role dev is there twice'));
  });

  it('names their content', () => {
    expect(compileRoles([]).revision).toBe('');
    expect(compileRoles([role()]).revision).toMatch(/^[0-9a-f]{32}$/);
  });
});

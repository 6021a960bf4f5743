import { describe, expect, it } from '@jest/globals';
import { parseSelector } from '@tagplane/labels';
import { RoleError } from './compiled-roles.ts';
import { diffAccess } from './diff-access.ts';
import type { AccessNode } from './diff-access.ts';
import type { AccessRole } from './role.ts';

function node(serverId: string, env: string): AccessNode {
  const labels = new Map([['env', env]]);
  return { serverId, labels: { sets: [{ source: 'own', labels, observedAt: undefined, expiresAt: 10 }] } };
}

function role(name: string, allow: readonly string[], deny: readonly string[] = []): AccessRole {
  const rule = (text: string): AccessRole['allow'][number] => {
    const [logins = '', selector = ''] = text.split(': ');
    return { logins: logins.split(' '), nodeLabels: parseSelector(selector) };
  };
  return { name, description: '', allow: allow.map(rule), deny: deny.map(rule), maxLabelAgeMs: undefined };
}

const NODES = [node('n2', 'prod'), node('n1', 'dev')];

/** Lines such as `n1 dev: +allow root`. */
function diff(before: readonly AccessRole[], after: readonly AccessRole[], now = 0): string[] {
  return diffAccess(NODES, before, after, now).map(
    ({ serverId, role: name, login, effect, change }) =>
      `${serverId} ${name}: ${change === 'gained' ? '+' : '-'}${effect} ${login}`,
  );
}

describe('diffAccess', () => {
  const dev = role('dev', ['a b: env=dev']);

  it.each<[string, AccessRole[], AccessRole[], string[]]>([
    ['nothing of nothing', [], [], []],
    ['nothing of the same', [dev], [role('dev', ['a b: env=dev'])], []],
    ['nothing of other words for the same', [dev], [role('dev', ['b: env=d*', 'a: env=[dev, x]'])], []],
    ['a new role', [], [dev], ['n1 dev: +allow a', 'n1 dev: +allow b']],
    ['a role that goes', [dev], [], ['n1 dev: -allow a', 'n1 dev: -allow b']],
    ['a login for another', [dev], [role('dev', ['b c: env=dev'])], ['n1 dev: -allow a', 'n1 dev: +allow c']],
    ['more nodes', [dev], [role('dev', ['a b: *=*'])], ['n2 dev: +allow a', 'n2 dev: +allow b']],
    ['a deny', [dev], [role('dev', ['a b: env=dev'], ['a: env=dev'])], ['n1 dev: -allow a', 'n1 dev: +deny a']],
    ['a deny of all', [dev], [role('dev', ['a: env=dev'], ['*: env=dev'])], ['n1 dev: +deny *', 'n1 dev: -allow a', 'n1 dev: -allow b']],
    ['a deny that nothing lifts', [dev], [role('dev', ['a b: env=dev'], ['x: gone=yes'])], ['n1 dev: +deny x', 'n2 dev: +deny x']],
    ['templates as they stand', [], [role('t', ['{{traits.x}} *: env=dev'])], ['n1 t: +allow *', 'n1 t: +allow {{traits.x}}']],
    ['only what differs, by node and role', [dev, role('z', ['a: *=*'])], [role('z', ['a: *=*']), role('b', ['a: *=*'])], ['n1 b: +allow a', 'n1 dev: -allow a', 'n1 dev: -allow b', 'n2 b: +allow a']],
  ])('%s', (_, before, after, expected) => {
    expect(diff(before, after)).toEqual(expected);
  }); // prettier-ignore

  it('goes by what is known now', () => {
    expect(diff([], [dev], 9)).toHaveLength(2);
    expect(diff([], [dev], 10)).toEqual([]);
  });

  it('refuses roles that could not be written', () => {
    expect(() => diff([], [role('a b', [])])).toThrow(RoleError);
  });
});

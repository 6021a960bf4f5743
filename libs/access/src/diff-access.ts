import { diffRoles } from './changes.ts';
import { CompiledRoles, compileRoles } from './compiled-roles.ts';
import type { NodeLabels } from './node-labels.ts';
import { byName } from './revision.ts';
import type { AccessRole } from './role.ts';
import type { RoleVerdict } from './verdicts.ts';

/** A node to compare on. */
export interface AccessNode {
  readonly serverId: string;
  readonly labels: NodeLabels;
}

/** What changes on a node for those who hold a role, by one login as it stands in the role. */
export interface AccessChange {
  readonly serverId: string;
  readonly role: string;
  /** A login, `*`, or a template. */
  readonly login: string;
  /** `allow`: who holds only this role may log in. `deny`: who holds it may not, whatever else they hold. */
  readonly effect: 'allow' | 'deny';
  readonly change: 'gained' | 'lost';
}

/**
 * Who gains or loses what on which nodes, ordered by node, role and login. Roles are compared each by itself,
 * since nobody here knows who holds which together: what a deny does to other roles is told by its own line.
 *
 * @throws RoleError when roles break a rule of roles
 */
export function diffAccess(
  nodes: Iterable<AccessNode>,
  before: readonly AccessRole[],
  after: readonly AccessRole[],
  now: number,
): AccessChange[] {
  const { put, removed } = diffRoles(before, after);
  const names = new Set([...put.map(({ name }) => name), ...removed]);
  compileRoles(after);
  const old = new CompiledRoles(before.filter(({ name }) => names.has(name)));
  const next = new CompiledRoles(after.filter(({ name }) => names.has(name)));
  const subjects = byName([
    ...put,
    ...old.list.flatMap(({ role }) => (removed.includes(role.name) ? [role] : [])),
  ]);
  const changes: AccessChange[] = [];
  for (const { serverId, labels } of [...nodes].sort(byServerId)) {
    for (const { name } of subjects) {
      const lost = access(old, name, labels, now);
      const gained = access(next, name, labels, now);
      changes.push(...compare(lost, gained).map((change) => ({ serverId, role: name, ...change })));
    }
  }
  return changes;
}

/** What a role gives and takes on a node: `allow` or `deny`, a space, and the login as written. */
function access(roles: CompiledRoles, name: string, labels: NodeLabels, now: number): ReadonlySet<string> {
  const index = roles.indexOf(name);
  return index === undefined ? new Set() : accessOf(roles.verdictsOn(labels).of(index, now));
}

function accessOf({ grants, denies }: RoleVerdict): ReadonlySet<string> {
  const denied = new Set(denies.flatMap(({ rule }) => rule.logins));
  const granted = new Set(grants.flatMap(({ rule }) => rule.logins));
  const allowed = denied.has('*') ? [] : [...granted].filter((login) => !denied.has(login));
  return new Set([
    ...[...denied].map((login) => `deny ${login}`),
    ...allowed.map((login) => `allow ${login}`),
  ]);
}

type Change = Pick<AccessChange, 'login' | 'effect' | 'change'>;

function compare(before: ReadonlySet<string>, after: ReadonlySet<string>): Change[] {
  const change = (text: string, kind: AccessChange['change']): Change => {
    const effect = text.startsWith('deny ') ? 'deny' : 'allow';
    return { login: text.slice(effect.length + 1), effect, change: kind };
  };
  return [
    ...[...before].filter((text) => !after.has(text)).map((text) => change(text, 'lost')),
    ...[...after].filter((text) => !before.has(text)).map((text) => change(text, 'gained')),
  ].sort((a, b) => compareText(a.login, b.login) || compareText(a.effect, b.effect));
}

function byServerId(a: AccessNode, b: AccessNode): number {
  return compareText(a.serverId, b.serverId);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

import { rolesRevision } from '@tagplane/access';
import type { AccessRole } from '@tagplane/access';
import { parseInstanceKey, parseServerId } from '@tagplane/identity';
import type { InstanceKey, ServerId } from '@tagplane/identity';
import { NAMESPACES, labelsIn, labelsRevision } from '@tagplane/labels';
import type { Labels } from '@tagplane/labels';
import type { HeldLabels, HeldRoles, OfferedUpdate } from '@tagplane/session';
import type { Clock } from '../clock.ts';

export function sampleServerId(text: string): ServerId {
  const id = parseServerId(text);
  if (id === undefined) throw new TypeError(`${text} is no server id`);
  return id;
}

/** @param digit the last of the instance id */
export function sampleInstance(digit: string): InstanceKey {
  const key = parseInstanceKey({
    account: '123456789012',
    region: 'eu-central-1',
    instance: `i-0123456789abcdef${digit}`,
  });
  if (key === undefined) throw new TypeError(`${digit} makes no instance`);
  return key;
}

/** A clock that stands at `ms`, both hands. */
export function clockAt(ms: number): Clock {
  return () => ({ wallMs: 1e12 + ms, monotonicMs: ms, boot: 'boot' });
}

export function heldOf(labels: Labels, remainingMs?: number, asOf = clockAt(0)()): HeldLabels {
  const sets = NAMESPACES.map((namespace) => ({
    namespace,
    labels: labelsIn(namespace, labels),
    ageMs: 1_000,
    remainingMs,
  }));
  return { revision: labelsRevision(labels), sets, asOf };
}

export function replaceWith(labels: Labels, remainingMs?: number, nonce = 'n'): OfferedUpdate {
  const { revision, sets } = heldOf(labels, remainingMs);
  return { nonce, revision, change: { kind: 'replace', sets } };
}

/** Lets `login` in on nodes whose label `key` is `value`. */
export function sampleRole(name: string, key = '*', value = '*', login = 'deploy'): AccessRole {
  const rule = { logins: [login], nodeLabels: { terms: [{ key, values: [value] }] } };
  return { name, description: '', allow: [rule], deny: [], maxLabelAgeMs: undefined };
}

export function heldRolesOf(
  roles: readonly AccessRole[],
  remainingMs: number,
  asOf = clockAt(0)(),
): HeldRoles {
  return { revision: rolesRevision(roles), roles, remainingMs, asOf };
}

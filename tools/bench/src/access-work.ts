import type { AccessRequest, AccessRole, AccessRule, LabelSet, NodeLabels } from '@tagplane/access';
import { parseSelector } from '@tagplane/labels';

/** What the worker of the suite `access` is to do. */
export interface AccessWork {
  /**
   * `kept`: the node's labels stay as they are. Before every decision `relabelled`: one of them changed;
   * `renewed`: all that discovery says was observed anew, so that no verdict on it stands.
   */
  readonly how: 'kept' | 'relabelled' | 'renewed';
  readonly roles: number;
  /** How many of them each request's user holds, about. */
  readonly held: number;
  /** CPU seconds for each of the two, ours and the plain reference. */
  readonly seconds: number;
}

export interface AccessSpeed {
  /** A second of CPU. */
  readonly decisions: number;
  readonly bytesPerDecision: number;
}

export interface AccessAnswer {
  readonly ours: AccessSpeed;
  readonly reference: AccessSpeed;
  /** Share of the requests that are allowed, by both. */
  readonly allowed: number;
}

export interface AccessWorld {
  readonly roles: readonly AccessRole[];
  /** One, or as many as there are changes to go round. */
  readonly nodes: readonly NodeLabels[];
  readonly requests: readonly AccessRequest[];
  readonly now: number;
}

const LOGINS = ['deploy', 'admin', 'ubuntu', 'postgres', 'web', 'ci', 'backup', 'ec2-user', 'root', 'nobody'];
const TEAMS = ['db', 'web', 'data', 'ops'];
const MINUTE = 60_000;
const NOW = 100 * MINUTE;

/** The same for the same work: 50 labels, roles of two allow rules each and a deny in every fifth. */
export function accessWorld({ how, roles, held }: AccessWork): AccessWorld {
  const random = randomNumbers(roles);
  const all = Array.from({ length: roles }, (_, index) => role(index));
  return {
    roles: all,
    nodes: Array.from({ length: how === 'kept' ? 1 : 64 }, (_, version) => node(how, version)),
    requests: Array.from({ length: roles > 100 ? 512 : 4096 }, () => request(all, held, random)),
    now: NOW,
  };
}

function role(index: number): AccessRole {
  const team = TEAMS[index % TEAMS.length] ?? '';
  const login = (offset: number): string => LOGINS[(index + offset) % (LOGINS.length - 2)] ?? '';
  const selectors = [
    `aws/env=[dev, staging, prod], aws/team=${team}`,
    `aws/name=^${team}-[0-9]+$, aws/env=prod`,
    `aws/tag${index % 40}=v*, dynamic/tier=[gold, silver]`,
    `rack=r${index % 3}, aws/env=prod`,
  ];
  const rule = (logins: string[], offset: number): AccessRule => ({
    logins,
    nodeLabels: parseSelector(selectors[(index + offset) % selectors.length] ?? '*=*'),
  });
  return {
    name: `role-${index}`,
    description: '',
    allow: [rule([login(0), login(3)], 0), rule([login(1), '{{traits.logins}}'], 1)],
    deny: index % 5 === 0 ? [{ logins: ['root'], nodeLabels: parseSelector('aws/quarantine=yes') }] : [],
    maxLabelAgeMs: index % 10 === 0 ? 30 * MINUTE : undefined,
  };
}

/** Of 50 labels; each version has another value of one of them, or another age of all discovered ones. */
function node(how: AccessWork['how'], version: number): NodeLabels {
  const tags = Array.from({ length: 36 }, (_, index): [string, string] => [
    `aws/tag${index}`,
    how === 'relabelled' && index === version % 36 ? `v${version}` : 'v',
  ]);
  const discovered: [string, string][] = [
    ['aws/env', 'prod'],
    ['aws/team', 'db'],
    ['aws/name', 'db-7'],
    ['aws/quarantine', 'no'],
    ...tags,
  ];
  const own = Array.from({ length: 4 }, (_, index): [string, string] => [`own${index}`, 'x']);
  const assigned = Array.from({ length: 4 }, (_, index): [string, string] => [`dynamic/d${index}`, 'x']);
  const set = (source: LabelSet['source'], entries: [string, string][], age?: number): LabelSet => ({
    source,
    labels: new Map(entries),
    observedAt: age === undefined ? undefined : NOW - age,
    expiresAt: age === undefined ? undefined : NOW - age + 90 * MINUTE,
  });
  const sets = [
    set('own', [['rack', 'r1'], ...own]),
    set('discovered', discovered, 5 * MINUTE + (how === 'renewed' ? version : 0)),
    set('assigned', [['dynamic/tier', 'gold'], ...assigned]),
  ];
  return { sets };
}

function request(roles: readonly AccessRole[], held: number, random: () => number): AccessRequest {
  const names = roles.map(({ name }) => ({ name, rank: random() })).sort((a, b) => a.rank - b.rank);
  // Nine in ten of those meant, so that sets differ though a user holds all that there are.
  const kept = names.slice(0, held).filter(() => held < 5 || random() < 0.9);
  const login = LOGINS[Math.floor(random() * LOGINS.length)] ?? '';
  const trait = LOGINS[Math.floor(random() * LOGINS.length)] ?? '';
  return { login, roles: kept.map(({ name }) => name), traits: new Map([['logins', [trait, 'someone']]]) };
}

/** A small generator of numbers from 0 to 1 that begins anew with its seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

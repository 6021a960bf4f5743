import { describe, expect, it } from '@jest/globals';
import { parseInstanceKey, parseServerId } from '@tagplane/identity';
import { EVERY_NODE, MAX_LABELS_PER_NAMESPACE } from '@tagplane/labels';
import { MAX_ASSIGNED_TTL_MS, MAX_DISCOVERED_TTL_MS, draftProblem } from './draft-problem.ts';
import { discoveredName } from './names.ts';
import type { Match, ServerInfoDraft } from './server-info.ts';

const key = { account: '123456789012', region: 'eu-central-1', instance: 'i-0123456789abcdef0' };
const instance = parseInstanceKey(key);
const other = parseInstanceKey({ ...key, region: 'eu-west-1' });
const serverId = parseServerId('web-1');
if (instance === undefined || other === undefined || serverId === undefined) throw new Error('bad fixture');

const NOW = Date.UTC(2026, 0, 1);

const discovered: ServerInfoDraft = {
  name: discoveredName(instance),
  match: { kind: 'aws-instance', instance },
  labels: new Map([['aws/Name', 'hunter2']]),
  observedAt: NOW,
  ttlMs: 5_400_000,
};

const assigned: ServerInfoDraft = {
  name: 'team-web',
  match: { kind: 'server-id', serverId },
  labels: new Map([['dynamic/team', 'hunter2']]),
  observedAt: undefined,
  ttlMs: undefined,
};

function bySelector(...keys: readonly string[]): { readonly match: Match } {
  const terms = keys.map((key) => ({ key, values: ['*'] }));
  return { match: { kind: 'selector', selector: { terms } } };
}

function many(prefix: string, count: number): Map<string, string> {
  return new Map(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, '']));
}

describe('what discovery may write', () => {
  it.each<[string, Partial<ServerInfoDraft>]>([
    ['an instance with labels', {}],
    ['an instance without labels', { labels: new Map() }],
    ['as many labels as a namespace holds', { labels: many('aws/', MAX_LABELS_PER_NAMESPACE) }],
    ['the longest ttl', { ttlMs: MAX_DISCOVERED_TTL_MS }],
    ['tags that are no labels', { rejected: [{ key: 'a', reason: 'too long' }] }],
    ['keys with slashes, spaces and system prefixes', { labels: new Map([['aws/aws:a b/c', '']]) }],
  ])('accepts %s', (_, change) => {
    expect(draftProblem({ ...discovered, ...change }, 'discovery')).toBeUndefined();
  });

  it.each<[string, 'invalid' | 'denied', RegExp, Partial<ServerInfoDraft>]>([
    ["an operator's name", 'denied', /begin with aws-/, { name: 'web' }],
    ['a malformed name', 'invalid', /the name/, { name: 'aws-1-eu-west-1-i-1' }],
    ['the name of another instance', 'invalid', /the name is not/, { name: discoveredName(other) }],
    ['a match by server id', 'invalid', /matches an AWS/, { match: { kind: 'server-id', serverId } }],
    ['a selector', 'invalid', /matches an AWS/, bySelector('aws/a')],
    ['a selector, by another name', 'denied', /begin with aws-/, { ...bySelector('aws/a'), name: 'web' }],
    [
      'too many rejected tags',
      'invalid',
      /at most 64/,
      { rejected: Array.from({ length: 65 }, () => ({ key: 'a', reason: '' })) },
    ],
    ['dynamic/ labels', 'denied', /dynamic\//, { labels: new Map([['dynamic/a', 'hunter2']]) }],
    ['labels without a namespace', 'invalid', /not under aws\//, { labels: new Map([['a', 'hunter2']]) }],
    ['no ttl', 'invalid', /needs a ttl/, { ttlMs: undefined }],
    ['too long a ttl', 'invalid', /86400 s/, { ttlMs: MAX_DISCOVERED_TTL_MS + 1 }],
    ['no time at all', 'invalid', /ttl/, { ttlMs: 0 }],
    ['half a millisecond', 'invalid', /ttl/, { ttlMs: 0.5 }],
    ['a ttl that is no number', 'invalid', /ttl/, { ttlMs: Number.NaN }],
    ['no observation', 'invalid', /needs observed_at/, { observedAt: undefined }],
    ['an observation before EC2', 'invalid', /observed_at/, { observedAt: 0 }],
    ['an observation that is no date', 'invalid', /observed_at/, { observedAt: 1e18 }],
    ['too many labels', 'invalid', /holds at most/, { labels: many('aws/', MAX_LABELS_PER_NAMESPACE + 1) }],
    ['a long value', 'invalid', /longer than 256/, { labels: new Map([['aws/a', 'hunter2'.repeat(40)]]) }],
  ])('refuses %s as %s', (_, kind, reason, change) => {
    const problem = draftProblem({ ...discovered, ...change }, 'discovery');
    expect(problem).toEqual({ kind, reason: expect.stringMatching(reason) });
    expect(problem?.reason).not.toContain('hunter2');
  });
});

describe('what an operator may write', () => {
  it.each<[string, Partial<ServerInfoDraft>]>([
    ['labels for a server, for ever', {}],
    ['labels for an instance', { match: { kind: 'aws-instance', instance } }],
    ['labels for what a selector picks', bySelector('aws/team', 'dynamic/tier')],
    ['labels for every node', { match: { kind: 'selector', selector: EVERY_NODE } }],
    ['labels for a while', { ttlMs: MAX_ASSIGNED_TTL_MS }],
  ])('accepts %s', (_, change) => {
    expect(draftProblem({ ...assigned, ...change }, 'operator')).toBeUndefined();
  });

  it.each<[string, 'invalid' | 'denied', RegExp, Partial<ServerInfoDraft>]>([
    ['a selector over own labels', 'invalid', /names "env": it sees/, bySelector('aws/a', 'env')],
    ['a selector without terms', 'invalid', /^the selector: /, bySelector()],
    [
      'an expression that is none',
      'invalid',
      /^the selector: .*\^\(hunter\$/,
      { match: { kind: 'selector', selector: { terms: [{ key: 'aws/a', values: ['^(hunter$'] }] } } },
    ],
    ['rejected tags', 'denied', /discovery's to say/, { rejected: [{ key: 'a', reason: '' }] }],
    ["discovery's name", 'denied', /are discovery's/, { name: discoveredName(instance) }],
    ['a malformed name', 'invalid', /letters, digits/, { name: 'a/b' }],
    ['aws/ labels', 'denied', /aws\//, { labels: new Map([['aws/a', 'hunter2']]) }],
    ['labels without a namespace', 'invalid', /dynamic\//, { labels: new Map([['a', 'hunter2']]) }],
    ['too long a ttl', 'invalid', /ttl/, { ttlMs: MAX_ASSIGNED_TTL_MS + 1 }],
  ])('refuses %s as %s', (_, kind, reason, change) => {
    const problem = draftProblem({ ...assigned, ...change }, 'operator');
    expect(problem).toEqual({ kind, reason: expect.stringMatching(reason) });
    expect(problem?.reason).not.toContain('hunter2');
  });
});

describe('other roles', () => {
  it.each(['agent', 'auth'] as const)('%s may write nothing', (role) => {
    expect(draftProblem(discovered, role)?.kind).toBe('denied');
    expect(draftProblem(assigned, role)?.kind).toBe('denied');
  });
});

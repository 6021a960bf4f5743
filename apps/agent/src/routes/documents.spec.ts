import { describe, expect, it } from '@jest/globals';
import { parseServerId } from '@tagplane/identity';
import type { AgentView } from '../agent-view.ts';
import { labelsTable } from '../commands/labels.ts';
import { statusTable } from '../commands/status.ts';
import { sampleInstance } from '../testing/index.ts';
import { labelsDocument } from './labels.ts';
import { statusDocument } from './status.ts';

const MINUTE = 60_000;

function view(changes: Partial<AgentView> = {}): AgentView {
  return {
    serverId: parseServerId('web-1') ?? '',
    hostname: 'host',
    credentials: undefined,
    joinMethod: undefined,
    version: '0.1.0',
    stated: { configured: new Map([['role', 'web']]), commands: [], imported: undefined },
    held: {
      revision: 'abc',
      source: 'stream',
      fresh: [
        {
          namespace: 'aws/',
          labels: new Map([
            ['aws/env', 'prod'],
            ['aws/__proto__', 'x'],
          ]),
          ageMs: MINUTE,
          remainingMs: 90 * MINUTE,
        },
      ],
      stale: [
        { namespace: 'dynamic/', labels: new Map([['dynamic/a', 'b']]), ageMs: Infinity, remainingMs: 0 },
      ],
      ageMs: Infinity,
      remainingMs: 0,
    },
    roles: undefined,
    refused: [],
    connection: {
      state: 'waiting',
      address: '127.0.0.1:7420',
      authId: undefined,
      since: 0,
      retryAt: 12_500,
      lastError: 'gone',
    },
    instance: sampleInstance('0'),
    instanceSource: 'configured',
    instanceProblem: undefined,
    ...changes,
  };
}

const NONE_STATED: AgentView['stated'] = { configured: new Map(), commands: [], imported: undefined };
const NOTHING: AgentView['held'] = {
  revision: '',
  source: 'none',
  fresh: [],
  stale: [],
  ageMs: undefined,
  remainingMs: undefined,
};

describe('the labels document', () => {
  it('has what counts, its sources, and apart from it what ran out', () => {
    const document = labelsDocument(view());
    expect(JSON.parse(JSON.stringify(document))).toEqual(
      JSON.parse(`{
        "server_id": "web-1", "revision": "abc", "freshness": "stale",
        "labels": {"role": "web", "aws/env": "prod", "aws/__proto__": "x"},
        "sources": {"role": "own", "aws/env": "auth", "aws/__proto__": "auth", "dynamic/a": "auth"},
        "stale": {"dynamic/a": "b"},
        "age_s": {"aws/": 60, "dynamic/": null},
        "expires_in_s": {"aws/": 5400, "dynamic/": 0}, "commands": {}
      }`),
    );
  });

  it('shows as a table, without moving the cursor', () => {
    const odd = view({ stated: { ...NONE_STATED, configured: new Map([['role', '\u001b[2Jx\n\u202e']]) } });
    const lines = labelsTable(labelsDocument(odd)).split('\n');
    expect(lines[0]).toMatch(/^KEY +VALUE +SOURCE +FRESHNESS$/);
    expect(lines[1]).toMatch(/^aws\/__proto__ +x +auth +for 1h30m$/);
    expect(lines[3]).toMatch(/^dynamic\/a +b +auth +stale$/);
    expect(lines[4]).toMatch(/^role +\\u\{1b\}\[2Jx\\u\{a\}\\u\{202e\} +own$/);
    expect(labelsTable(labelsDocument(view({ held: NOTHING, stated: NONE_STATED })))).toBe('no labels\n');
  });
});

const NOT_JOINED = { credentials: undefined, remainingMs: undefined, problem: 'no such token' };

function joined(remainingMs: number): AgentView['credentials'] {
  const credentials = {
    id: 'spiffe://main/agent/web-1',
    role: 'agent' as const,
    name: 'web-1',
    instance: sampleInstance('0'),
    privateKey: 'SECRET',
    certificates: [],
    trust: { cluster: 'main', generation: 3, authorities: [] },
    validFrom: 0,
    validUntil: 5_000,
    receivedAt: 0,
  };
  const problem = remainingMs < 0 ? 'the certificate has ended' : undefined;
  return { credentials, remainingMs, problem };
}

describe('the status document', () => {
  it('has the connection, what is held, and the instance', () => {
    expect(statusDocument(view(), 10_000)).toEqual({
      server_id: 'web-1',
      hostname: 'host',
      version: '0.1.0',
      connection: {
        state: 'waiting',
        address: '127.0.0.1:7420',
        auth_id: null,
        since: '1970-01-01T00:00:00.000Z',
        retry_in_s: 2,
        last_error: 'gone',
      },
      identity: {
        mode: 'insecure',
        id: null,
        instance: null,
        certificate_expires_at: null,
        certificate_expires_in_s: null,
        trust_generation: null,
        join_method: null,
        problem: null,
      },
      labels: { revision: 'abc', freshness: 'stale', source: 'stream', age_s: null, remaining_s: 0 },
      roles: null,
      refused: [],
      imported: null,
      aws: {
        account_id: '123456789012',
        region: 'eu-central-1',
        instance_id: 'i-0123456789abcdef0',
        source: 'configured',
        problem: null,
      },
    });
  });

  it('has the roles, what was refused, and what instance metadata said', () => {
    const changes: Partial<AgentView> = {
      roles: { revision: 'r', source: 'disk', count: 3, remainingMs: 90_500 },
      refused: [{ file: 'labels.json', reason: 'it is not sealed', at: 0 }],
      stated: {
        ...NONE_STATED,
        imported: { labels: new Map(), ageMs: undefined, remainingMs: 0, problem: 'no tags' },
      },
    };
    const document = statusDocument(view(changes), 10_000);
    expect(document).toMatchObject({
      roles: { revision: 'r', freshness: 'fresh', source: 'disk', count: 3, remaining_s: 90 },
      refused: [{ file: 'labels.json', reason: 'it is not sealed', at: '1970-01-01T00:00:00.000Z' }],
      imported: { labels: 0, age_s: null, problem: 'no tags' },
    });
    const text = statusTable(document);
    expect(text).toMatch(/^roles +3, fresh for 1m30s, from disk$/m);
    expect(text).toMatch(/^refused +labels.json: it is not sealed$/m);
    expect(text).toMatch(/^tags +not by instance metadata: no tags$/m);
  });

  it('has the identity, and never the key', () => {
    const document = statusDocument(view({ credentials: joined(-90_500), joinMethod: 'iam' }), 10_000);
    expect(document.identity).toEqual({
      mode: 'mutual',
      id: 'spiffe://main/agent/web-1',
      instance: '123456789012/eu-central-1/i-0123456789abcdef0',
      certificate_expires_at: '1970-01-01T00:00:05.000Z',
      certificate_expires_in_s: -91,
      trust_generation: 3,
      join_method: 'iam',
      problem: 'the certificate has ended',
    });
    expect(JSON.stringify(document)).not.toContain('SECRET');
  });

  it.each<[string, Partial<AgentView>, RegExp[]]>([
    ['without TLS', {}, [/^identity +claimed, without TLS$/m]],
    [
      'not joined',
      { serverId: '', credentials: NOT_JOINED, joinMethod: 'token' },
      [/^server id +none yet$/m, /^identity +not joined yet$/m, /^problem +no such token$/m],
    ],
    [
      'joined',
      { credentials: joined(90 * MINUTE) },
      [
        /^identity +spiffe:/m,
        /^proven +1234.*0$/m,
        /^certificate +ends in 1h30m$/m,
        /^trust +generation 3$/m,
      ],
    ],
    ['too late', { credentials: joined(0) }, [/^certificate +has ended$/m]],
  ])('shows the identity as a table: %s', (_, changes, lines) => {
    const text = statusTable(statusDocument(view(changes), 0));
    for (const line of lines) expect(text).toMatch(line);
  });

  it('shows as a table', () => {
    const text = statusTable(statusDocument(view(), 10_000));
    expect(text).toMatch(/^connection +waiting since 1970/m);
    expect(text).toMatch(/^next attempt +in 2s$/m);
    expect(text).toMatch(/^labels +stale, from stream$/m);
    expect(text).toMatch(
      /^instance +i-0123456789abcdef0 in eu-central-1, account 123456789012 \(configured\)$/m,
    );
    const none = view({
      held: NOTHING,
      instance: undefined,
      instanceProblem: 'it is off',
      instanceSource: 'none',
    });
    const empty = statusTable(statusDocument(none, 0));
    expect(empty).toMatch(/^labels +none yet$/m);
    expect(empty).toMatch(/^instance +unknown: it is off$/m);
  });
});

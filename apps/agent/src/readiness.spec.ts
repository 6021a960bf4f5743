import { describe, expect, it } from '@jest/globals';
import type { AgentView } from './agent-view.ts';
import { readinessOf } from './readiness.ts';
import { heldOf } from './testing/index.ts';

const SETS = heldOf(new Map([['aws/env', 'prod']]), 60_000).sets;
const NONE = {
  revision: '',
  source: 'none',
  fresh: [],
  stale: [],
  ageMs: undefined,
  remainingMs: undefined,
} as const;
const FRESH = { ...NONE, revision: 'r', source: 'disk', fresh: SETS, remainingMs: 60_000 } as const;
const STALE = { ...NONE, revision: 'r', source: 'disk', stale: SETS, remainingMs: 0 } as const;

function view(
  state: AgentView['connection']['state'],
  held: AgentView['held'],
  changes: Partial<AgentView> = {},
): AgentView {
  return {
    serverId: 'web-1',
    hostname: 'host',
    version: '0',
    stated: { configured: new Map(), commands: [], imported: undefined },
    held,
    roles: undefined,
    refused: [],
    ...changes,
    connection: {
      state,
      address: '127.0.0.1:7420',
      authId: undefined,
      since: 0,
      retryAt: undefined,
      lastError: state === 'connected' ? undefined : 'gone',
    },
    instance: undefined,
    instanceSource: 'none',
    instanceProblem: undefined,
    credentials: undefined,
    joinMethod: undefined,
  };
}

describe('readinessOf', () => {
  it.each<[AgentView['connection']['state'], AgentView['held'], boolean, string]>([
    ['connected', NONE, true, 'connected to 127.0.0.1:7420'],
    ['connected', STALE, true, 'connected to 127.0.0.1:7420'],
    ['waiting', FRESH, true, 'not connected (gone); labels from disk stand for 1m'],
    [
      'connecting',
      { ...FRESH, remainingMs: undefined },
      true,
      'not connected (gone); labels from disk stand for ever',
    ],
    ['waiting', STALE, false, 'not connected (gone), and no fresh labels held'],
    ['waiting', NONE, false, 'not connected (gone), and no fresh labels held'],
  ])('%s, %j', (state, held, ready, reason) => {
    expect(readinessOf(view(state, held))).toEqual([{ name: 'labels', ready, reason }]);
  });

  const roles = { revision: 'r', source: 'disk', count: 2, remainingMs: 3_600_000 } as const;
  const over = { ...roles, remainingMs: 0 };
  const none = { revision: '', source: 'none', count: 0, remainingMs: undefined } as const;
  const refused = [{ file: 'roles.json', reason: 'it is not sealed', at: 0 }];

  it.each<[AgentView['connection']['state'], Partial<AgentView>, boolean, string]>([
    ['waiting', { roles }, true, '2 from disk count for 1h'],
    ['connected', { roles: over }, true, 'those held count no more'],
    ['waiting', { roles: over }, false, 'not connected (gone), and those held count no more'],
    ['waiting', { roles: none }, true, 'none held: every login is denied'],
    [
      'waiting',
      { roles: none, refused },
      false,
      'not connected (gone), and none held (roles.json was refused: it is not sealed)',
    ],
  ])('%s, %j: of an agent that decides', (state, changes, ready, reason) => {
    expect(readinessOf(view(state, FRESH, changes))[1]).toEqual({ name: 'roles', ready, reason });
  });

  it('says which labels were refused', () => {
    const [labels] = readinessOf(
      view('waiting', NONE, { refused: [{ file: 'labels.json', reason: 'it was put back', at: 0 }] }),
    );
    expect(labels).toMatchObject({
      ready: false,
      reason: expect.stringMatching(/no fresh labels held \(labels.json was refused: it was put back\)$/),
    });
  });
});

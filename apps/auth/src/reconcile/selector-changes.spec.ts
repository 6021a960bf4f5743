import { describe, expect, it } from '@jest/globals';
import { parseServerId } from '@tagplane/identity';
import { parseSelector } from '@tagplane/labels';
import type { ServerInfo } from '@tagplane/serverinfo';
import { SelectorChanges } from './selector-changes.ts';

function info(selector: string, change: Partial<ServerInfo> = {}): ServerInfo {
  return {
    name: 'a',
    match: { kind: 'selector', selector: parseSelector(selector) },
    labels: new Map([['dynamic/k', '1']]),
    observedAt: undefined,
    expiresAt: 9,
    revision: 1,
    origin: 'operator/ada',
    ...change,
  };
}

function named(): ServerInfo {
  const serverId = parseServerId('s1');
  if (serverId === undefined) throw new Error('bad fixture');
  return { ...info('*=*'), match: { kind: 'server-id', serverId } };
}

const LABELS = new Map([
  ['aws/team', 'db'],
  ['dynamic/ring', 'canary'],
]);

describe('SelectorChanges', () => {
  it.each<[string, ServerInfo | undefined, ServerInfo | undefined, boolean]>([
    ['is new and picks it', undefined, info('aws/team=db'), true],
    ['is new and does not', undefined, info('aws/team=web'), false],
    ['is gone and picked it', info('aws/team=db'), undefined, true],
    ['is gone and did not', info('aws/team=web'), undefined, false],
    ['picks it now', info('aws/team=web'), info('aws/team=db'), true],
    ['picks it no more', info('aws/team=db'), info('aws/team=web'), true],
    [
      'picks it still, with the same labels',
      info('aws/team=db'),
      info('aws/team=d*', { revision: 2 }),
      false,
    ],
    ['has other labels', info('aws/team=db'), info('aws/team=db', { labels: new Map() }), true],
    ['has another end', info('aws/team=db'), info('aws/team=db', { expiresAt: undefined }), true],
    ['is of another age', info('aws/team=db'), info('aws/team=db', { observedAt: 1 }), true],
    ['rests on aws/ no more', info('aws/team=db'), info('dynamic/ring=*'), true],
    ['changes for others only', info('aws/team=web'), info('aws/team=web', { labels: new Map() }), false],
    ['matches by name now', info('aws/team=db'), named(), true],
    ['matched by name before', named(), info('aws/team=db'), true],
  ])('concern a node when one %s: %#', (_, before, after, concerned) => {
    const changes = new SelectorChanges([
      { before: undefined, after: info('aws/nobody=*') },
      { before, after },
    ]);
    expect([changes.none, changes.concern(LABELS)]).toEqual([false, concerned]);
  });

  it('are none when nothing matches by a selector, before or after', () => {
    const changes = new SelectorChanges([{ before: named(), after: undefined }]);
    expect([changes.none, changes.concern(LABELS)]).toEqual([true, false]);
  });
});

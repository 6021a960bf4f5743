import { describe, expect, it } from '@jest/globals';
import { parseInstanceKey, parseServerId } from '@tagplane/identity';
import { SelectorError, parseSelector } from '@tagplane/labels';
import { AssignedSet } from './assigned-set.ts';
import type { AssignedFor } from './assigned-set.ts';
import { serverInfoKey } from './keys.ts';
import { discoveredName } from './names.ts';
import type { Match, ServerInfo } from './server-info.ts';

const instance = parseInstanceKey({
  account: '123456789012',
  region: 'eu-central-1',
  instance: 'i-0123456789abcdef0',
});
if (instance === undefined) throw new Error('bad fixture');
const instanceKey = serverInfoKey(discoveredName(instance));
const onInstance: Match = { kind: 'aws-instance', instance };

function onServer(text: string): Match {
  const serverId = parseServerId(text);
  if (serverId === undefined) throw new Error('bad fixture');
  return { kind: 'server-id', serverId };
}

function onSelector(text: string): Match {
  return { kind: 'selector', selector: parseSelector(text) };
}

function info(name: string, match: Match, expiresAt?: number): ServerInfo {
  return {
    name,
    match,
    labels: new Map(),
    observedAt: undefined,
    expiresAt,
    revision: 1,
    origin: 'operator/ada',
  };
}

const LABELS = new Map([['aws/team', 'db']]);

function names(found: AssignedFor, labels = LABELS): string[][] {
  return [found.byInstance, found.byServerId, (found.select?.(labels) ?? []).map(({ source }) => source)].map(
    (infos) => infos.map(({ name }) => name),
  );
}

function sample(): AssignedSet {
  return AssignedSet.of([
    info('d', onServer('s1')),
    info('b', onInstance),
    info('s2', onSelector('aws/team=d*')),
    info('s1', onSelector('*=*')),
    info('a', onServer('s1')),
    info('c', onServer('s2')),
    info('s3', onSelector('aws/team=web')),
  ]);
}

describe('AssignedSet', () => {
  it('finds by instance, by server id and by selector, each in the order of names', () => {
    const set = sample();
    expect([set.size, set.selectorCount, [...set.selectorInfos()].length]).toEqual([7, 3, 3]);
    expect(names(set.forNode({ serverId: 's1', instanceKey }, 0))).toEqual([['b'], ['a', 'd'], ['s1', 's2']]);
    expect(names(set.forNode({ serverId: 's2', instanceKey: undefined }, 0))).toEqual([
      [],
      ['c'],
      ['s1', 's2'],
    ]);
    expect(names(set.forNode({ serverId: 'x', instanceKey: undefined }, 0), new Map())).toEqual([
      [],
      [],
      ['s1'],
    ]);
  });

  it('says which selectors rest on aws/ labels', () => {
    const selected = sample().forNode({ serverId: 's1', instanceKey: undefined }, 0).select?.(LABELS);
    expect(selected?.map(({ source, restsOnAws }) => [source.name, restsOnAws])).toEqual([
      ['s1', false],
      ['s2', true],
    ]);
  });

  it('leaves out those past their end', () => {
    const set = AssignedSet.of([
      info('a', onServer('s1'), 10),
      info('b', onServer('s1')),
      info('c', onInstance, 20),
      info('s', onSelector('*=*'), 30),
    ]);
    const at = (now: number) => names(set.forNode({ serverId: 's1', instanceKey }, now)).flat();
    expect([at(9), at(10), at(20), at(30)]).toEqual([
      ['c', 'a', 'b', 's'],
      ['c', 'b', 's'],
      ['b', 's'],
      ['b'],
    ]);
  });

  it('puts one in the place of the one before, whatever each matches by', () => {
    const set = AssignedSet.of([info('a', onServer('s1'))]);
    const all = () => names(set.forNode({ serverId: 's1', instanceKey }, 0));
    set.put(info('a', onSelector('aws/team=db')));
    expect([all(), set.size, set.selectorCount]).toEqual([[[], [], ['a']], 1, 1]);
    set.put(info('a', onSelector('aws/team=web')));
    expect([all(), set.selectorCount]).toEqual([[[], [], []], 1]);
    set.put(info('a', onInstance));
    expect([all(), set.selectorCount]).toEqual([[['a'], [], []], 0]);
    set.remove('a');
    set.remove('never there');
    expect([all(), set.size, set.get('a')]).toEqual([[[], [], []], 0, undefined]);
    expect(set.forNode({ serverId: 's1', instanceKey }, 0).select).toBeUndefined();
  });

  it('keeps what was there when a selector is no good', () => {
    const set = AssignedSet.of([info('a', onServer('s1'))]);
    const bad: Match = { kind: 'selector', selector: { terms: [{ key: 'aws/a', values: ['^($'] }] } };
    expect(() => {
      set.put(info('a', bad));
    }).toThrow(SelectorError);
    expect(set.get('a')?.match.kind).toBe('server-id');
  });

  it('makes another set with changes, and stays as it is', () => {
    const set = sample();
    const changed = set.with({ put: [info('e', onServer('s1'))], removed: ['a', 's1'] });
    const subject = { serverId: 's1', instanceKey };
    expect(names(changed.forNode(subject, 0))).toEqual([['b'], ['d', 'e'], ['s2']]);
    expect(names(set.forNode(subject, 0))).toEqual([['b'], ['a', 'd'], ['s1', 's2']]);
  });
});

import { describe, expect, it } from '@jest/globals';
import type { InstanceKey, ServerId } from '@tagplane/identity';
import { parseSelector } from '@tagplane/labels';
import type { Match } from '@tagplane/serverinfo';
import { isAssignedName } from '@tagplane/serverinfo';
import { derivedName, readTarget, sameMatch } from './target.ts';

const node = (id: string): Match => ({ kind: 'server-id', serverId: id as ServerId });
const picks = (text: string): Match => ({ kind: 'selector', selector: parseSelector(text) });
const INSTANCE = {
  account: '123456789012',
  region: 'eu-central-1',
  instance: 'i-0123456789abcdef0',
} as InstanceKey;

describe('derivedName', () => {
  it('is the documented one, and one that an operator may use', () => {
    const long = 'a'.repeat(128);
    const names = [
      node('web-1'),
      { kind: 'aws-instance', instance: INSTANCE } as const,
      picks('aws/a=b'),
      node(long),
    ];
    expect(names.map(derivedName)).toEqual([
      'labels.node.web-1',
      'labels.instance.123456789012.eu-central-1.i-0123456789abcdef0',
      expect.stringMatching(/^labels\.selector\.[0-9a-f]{16}$/),
      expect.stringMatching(/^labels\.long-node\.[0-9a-f]{16}$/),
    ]);
    expect(names.map(derivedName).filter((name) => !isAssignedName(name))).toEqual([]);
  });

  it('does not change with the order of what a selector says, only with what it says', () => {
    expect(derivedName(picks('aws/a=b, aws/c=[e, d]'))).toBe(derivedName(picks('aws/c=[d, e, d], aws/a=b')));
    const others = ['aws/a=b', 'aws/a=c', 'aws/b=b', 'aws/a="b*"', 'aws/a=b, aws/c=d', '*=*'].map((text) =>
      derivedName(picks(text)),
    );
    expect(new Set(others).size).toBe(others.length);
  });

  it('goes with sameMatch', () => {
    expect(sameMatch(picks('a=b, c=d'), picks('c=d, a=b'))).toBe(true);
    expect(sameMatch(picks('a=b'), picks('a=c'))).toBe(false);
    expect(sameMatch(node('a'), node('a'))).toBe(true);
    expect(sameMatch(node('a'), node('b'))).toBe(false);
    expect(sameMatch(node('a'), picks('a=b'))).toBe(false);
  });
});

describe('readTarget', () => {
  it('takes exactly one target, and a name for it', () => {
    expect(readTarget({ node: 'web-1', name: 'canary' })).toEqual({ match: node('web-1'), name: 'canary' });
    expect(() => readTarget({})).toThrow('give one of --selector, --node or --instance');
    expect(() => readTarget({ node: 'a', selector: 'a=b' })).toThrow('not more than one');
    expect(() => readTarget({ node: 'a b' })).toThrow("--node: expected a server id, got 'a b'");
    expect(() => readTarget({ selector: 'aws/a=b, aws/c' })).toThrow(
      '--selector: after a key comes = and its value, at character 15\n    aws/a=b, aws/c\n                  ^',
    );
  });
});

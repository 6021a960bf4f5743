import { describe, expect, it } from '@jest/globals';
import type { ServerId } from '@tagplane/identity';
import type { Match, ServerInfo } from '@tagplane/serverinfo';
import { planLabels } from './plan.ts';
import type { LabelOrder } from './plan.ts';
import { readKeys, readLabels } from './words.ts';

const NOW = 1_000_000;
const match: Match = { kind: 'server-id', serverId: 'web-1' as ServerId };
const target = { match, name: 'labels.node.web-1' };

const set = (words: string[], ttlMs?: number): LabelOrder => ({
  kind: 'set',
  labels: readLabels(words),
  ttlMs,
});
const unset = (...words: string[]): LabelOrder => ({ kind: 'unset', words: readKeys(words) });

function there(labels: Record<string, string>, expiresAt?: number): ServerInfo {
  return {
    name: target.name,
    match,
    labels: new Map(Object.entries(labels)),
    observedAt: undefined,
    expiresAt,
    revision: 7,
    origin: 'operator/a',
  };
}

function plan(order: LabelOrder, info?: ServerInfo): unknown {
  const planned = planLabels(order, target, info, NOW);
  if (planned.kind !== 'write') return planned.kind === 'refused' ? planned.reason : planned.kind;
  const { labels, ttlMs, expectedRevision } = planned.draft;
  return { labels: Object.fromEntries(labels), ttlMs, expectedRevision, createOnly: planned.createOnly };
}

describe('planLabels', () => {
  const created = { ttlMs: undefined, expectedRevision: undefined, createOnly: true };
  const merged = { ttlMs: undefined, expectedRevision: 7, createOnly: false };
  it.each<[string, LabelOrder, ServerInfo | undefined, unknown]>([
    ['the first', set(['dynamic/a=1']), undefined, { labels: { 'dynamic/a': '1' }, ...created }],
    [
      'one for a while',
      set(['dynamic/a=1'], 60_000),
      undefined,
      { labels: { 'dynamic/a': '1' }, ...created, ttlMs: 60_000 },
    ],
    [
      'one beside others',
      set(['dynamic/b=2']),
      there({ 'dynamic/a': '1' }),
      { labels: { 'dynamic/a': '1', 'dynamic/b': '2' }, ...merged },
    ],
    [
      'another value',
      set(['dynamic/a=2']),
      there({ 'dynamic/a': '1' }),
      { labels: { 'dynamic/a': '2' }, ...merged },
    ],
    ['what is so already', set(['dynamic/a=1']), there({ 'dynamic/a': '1' }), 'nothing'],
    [
      'the same, but for longer',
      set(['dynamic/a=1'], 60_000),
      there({ 'dynamic/a': '1' }, NOW + 5),
      { labels: { 'dynamic/a': '1' }, ...merged, ttlMs: 60_000 },
    ],
    [
      'the same, for good',
      set(['dynamic/a=1']),
      there({ 'dynamic/a': '1' }, NOW + 5),
      { labels: { 'dynamic/a': '1' }, ...merged },
    ],
    [
      'an end beside others',
      set(['dynamic/b=2'], 60_000),
      there({ 'dynamic/a': '1' }),
      'ServerInfo labels.node.web-1 has no end, which dynamic/a would lose; give --name to keep these apart',
    ],
    [
      'no end beside others',
      set(['dynamic/b=2']),
      there({ 'dynamic/a': '1' }, NOW + 5),
      /has its end at 1970-01-01T00:16:40.005Z, which dynamic\/a would lose/,
    ],
    [
      'none of one',
      unset('dynamic/a'),
      there({ 'dynamic/a': '1', 'dynamic/b': '2' }),
      { labels: { 'dynamic/b': '2' }, ...merged },
    ],
    [
      'none of one, the rest until its end',
      unset('dynamic/a'),
      there({ 'dynamic/a': '1', 'dynamic/b': '2' }, NOW + 500),
      { labels: { 'dynamic/b': '2' }, ...merged, ttlMs: 500 },
    ],
    [
      'none of one, when the rest has ended',
      unset('dynamic/a'),
      there({ 'dynamic/a': '1', 'dynamic/b': '2' }, NOW),
      'remove',
    ],
    ['none of the last', unset('dynamic/a'), there({ 'dynamic/a': '1' }), 'remove'],
    ['none of what is not there', unset('dynamic/b'), there({ 'dynamic/a': '1' }), 'nothing'],
    ['none of a value that it has', unset('dynamic/a=1'), there({ 'dynamic/a': '1' }), 'remove'],
    ['none of a value that it has not', unset('dynamic/a=2'), there({ 'dynamic/a': '1' }), 'nothing'],
    ['none where there is none', unset('dynamic/a'), undefined, 'nothing'],
    [
      'into a ServerInfo of others',
      set(['dynamic/a=1']),
      { ...there({}), match: { kind: 'server-id', serverId: 'db-1' as ServerId } },
      'ServerInfo labels.node.web-1 is for node db-1, not node web-1; give another --name',
    ],
  ])('%s', (_what, order, info, expected) => {
    const planned = plan(order, info);
    if (expected instanceof RegExp) expect(planned).toMatch(expected);
    else expect(planned).toEqual(expected);
  });
});

describe('words', () => {
  it('are split at the first =, or behind a key in quotes', () => {
    expect([...readLabels(['dynamic/a=b=c', '"dynamic/d=e"=f', 'dynamic/g='])]).toEqual([
      ['dynamic/a', 'b=c'],
      ['dynamic/d=e', 'f'],
      ['dynamic/g', ''],
    ]);
    expect(readKeys(['dynamic/a', '"dynamic/b=c"'])).toEqual([
      { key: 'dynamic/a', value: undefined },
      { key: 'dynamic/b=c', value: undefined },
    ]);
  });

  it.each([
    [['dynamic/a'], 'dynamic/a: expected dynamic/KEY=VALUE'],
    [['aws/a=b'], "aws/a=b: an operator's labels begin with dynamic/"],
    [['dynamic/=b'], "dynamic/=b: an operator's labels begin with dynamic/"],
    [['dynamic/a=1', 'dynamic/a=2'], 'dynamic/a=2: this key was given before'],
    [[`dynamic/a=${'x'.repeat(257)}`], 'is longer than 256 characters'],
    [['"dynamic/\\x"=1'], 'the key in quotes is no JSON text'],
  ])('%j are refused', (words, problem) => {
    expect(() => readLabels(words)).toThrow(problem);
  });
});

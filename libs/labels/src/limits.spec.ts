import { describe, expect, it } from '@jest/globals';
import {
  MAX_DYNAMIC_LABELS,
  MAX_LABELS_PER_NAMESPACE,
  MAX_OWN_LABELS,
  MAX_SYSTEM_LABELS,
  isSystemLabel,
  labelProblem,
  namespaceProblem,
  nodeSetProblem,
  ownLabelsProblem,
} from './limits.ts';

const ROCKET = '🚀';
const HIGH = '\ud83d';
const LOW = '\ude80';

function numbered(count: number, prefix: string): [string, string][] {
  return Array.from({ length: count }, (_, index) => [`${prefix}${index}`, 'v']);
}

describe('labelProblem', () => {
  it.each([
    ['a plain label', 'team', 'a'],
    ['an empty value', 'team', ''],
    ['a key of one space', ' ', 'a'],
    ['128 ASCII characters', 'k'.repeat(128), 'a'],
    ['128 characters of two units each', ROCKET.repeat(128), 'a'],
    ['128 characters after the namespace', `aws/${'k'.repeat(128)}`, 'a'],
    ['128 characters after the other namespace', `dynamic/${ROCKET.repeat(128)}`, 'a'],
    ['256 ASCII characters in the value', 'k', 'v'.repeat(256)],
    ['256 characters of two units each in the value', 'k', ROCKET.repeat(256)],
    ['a namespace in a namespace', 'aws/aws/', 'a'],
    ['a namespace without its slash', 'aws', 'a'],
    ['__proto__', '__proto__', 'a'],
    ['constructor', 'aws/constructor', 'a'],
    ['a line break', 'a\nb', 'a\nb'],
    ['NUL', '\0', '\0'],
  ])('lets %s pass', (_, key, value) => {
    expect(labelProblem(key, value)).toBeUndefined();
  });

  it.each([
    ['an empty key', '', 'a', 'label key "" is empty'],
    ['nothing after the namespace', 'aws/', 'a', 'label key "aws/" is empty'],
    ['129 ASCII characters', 'k'.repeat(129), 'a', /^label key "k{80}…" is longer than 128 characters$/],
    ['129 after the namespace', `aws/${'k'.repeat(129)}`, 'a', /longer than 128/],
    ['129 characters of two units each', ROCKET.repeat(129), 'a', /^label key "🚀{80}…" is longer/u],
    ['128 characters of two units and one more', `${ROCKET.repeat(128)}k`, 'a', /longer than 128/],
    ['a key of a megabyte', 'k'.repeat(2 ** 20), 'a', /longer than 128/],
    ['257 in the value', 'k', 'v'.repeat(257), 'the value of label "k" is longer than 256 characters'],
    ['257 of two units each in the value', 'k', ROCKET.repeat(257), /longer than 256/],
    ['a lone high surrogate in the key', `a${HIGH}`, 'a', 'label key "a\\ud83d" is not well-formed Unicode'],
    ['a lone low surrogate in the key', LOW, 'a', 'label key "\\ude80" is not well-formed Unicode'],
    ['surrogates in the wrong order', `${LOW}${HIGH}`, 'a', /not well-formed/],
    ['a lone surrogate in the value', 'k', HIGH, 'the value of label "k" is not well-formed Unicode'],
    ['a line break, on one line', `a\nb${HIGH}`, 'a', /^label key "a\\nb/],
  ])('refuses %s', (_, key, value, problem) => {
    expect(labelProblem(key, value)).toMatch(problem);
  });

  it('never says the value', () => {
    for (const value of ['secret'.repeat(50), `secret${HIGH}`]) {
      expect(labelProblem('k', value)).not.toContain('secret');
    }
  });
});

describe('namespaceProblem', () => {
  it('lets as many labels pass as a resource has tags, and not one more', () => {
    expect(namespaceProblem('aws/', new Map(numbered(MAX_LABELS_PER_NAMESPACE, 'aws/')))).toBeUndefined();
    expect(namespaceProblem('dynamic/', new Map(numbered(51, 'dynamic/')))).toBe(
      '51 labels, but dynamic/ holds at most 50',
    );
  });

  it("counts AWS's own tags apart, as AWS does", () => {
    const full = [...numbered(50, 'aws/'), ...numbered(MAX_SYSTEM_LABELS, 'aws/aws:ec2:')];
    expect(namespaceProblem('aws/', new Map(full))).toBeUndefined();
    expect(namespaceProblem('aws/', new Map([...full, ['aws/one', 'more']]))).toBe(
      '51 labels, but aws/ holds at most 50',
    );
    expect(namespaceProblem('aws/', new Map([...full, ['aws/aws:one', 'more']]))).toBe(
      "15 of AWS's own tags, but aws/ holds at most 14 of them",
    );
  });

  it.each(['team', 'dynamic/team', 'AWS/team', 'aws', ' aws/team', 'aws:x'])(
    'refuses %j under aws/',
    (key) => {
      expect(namespaceProblem('aws/', new Map([[key, 'a']]))).toBe(
        `label ${JSON.stringify(key)} is not under aws/`,
      );
    },
  );

  it('refuses a label that cannot be carried, wherever it stands', () => {
    const labels = new Map([...numbered(3, 'aws/'), ['aws/', 'a']]);
    expect(namespaceProblem('aws/', labels)).toBe('label key "aws/" is empty');
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('carries the key %s', (key) => {
    expect(namespaceProblem('aws/', new Map([[`aws/${key}`, 'a']]))).toBeUndefined();
  });
});

describe('nodeSetProblem', () => {
  it("lets a node have more of operators' labels than one ServerInfo, and no more of discovery's", () => {
    expect(nodeSetProblem('dynamic/', new Map(numbered(MAX_DYNAMIC_LABELS, 'dynamic/')))).toBeUndefined();
    expect(nodeSetProblem('dynamic/', new Map(numbered(201, 'dynamic/')))).toBe(
      '201 labels, but dynamic/ holds at most 200',
    );
    expect(nodeSetProblem('aws/', new Map(numbered(51, 'aws/')))).toBe(
      '51 labels, but aws/ holds at most 50',
    );
  });

  it('looks at each label all the same', () => {
    expect(nodeSetProblem('dynamic/', new Map([['aws/a', '']]))).toBe('label "aws/a" is not under dynamic/');
    expect(nodeSetProblem('aws/', new Map([['aws/', '']]))).toBe('label key "aws/" is empty');
  });
});

describe('ownLabelsProblem', () => {
  it('lets a node have its own labels, as many as the limit', () => {
    expect(ownLabelsProblem(new Map())).toBeUndefined();
    expect(ownLabelsProblem(new Map(numbered(MAX_OWN_LABELS, 'l')))).toBeUndefined();
    expect(ownLabelsProblem(new Map(numbered(201, 'l')))).toBe(
      '201 labels, but a node has at most 200 of its own',
    );
  });

  it.each([
    ['aws/team', 'aws/'],
    ['dynamic/team', 'dynamic/'],
  ])("refuses %s, another authority's", (key, namespace) => {
    expect(ownLabelsProblem(new Map([[key, 'a']]))).toBe(
      `label "${key}" is under ${namespace}, which a node's own labels may not use`,
    );
  });

  it('refuses a label that cannot be carried', () => {
    expect(ownLabelsProblem(new Map([['', 'a']]))).toBe('label key "" is empty');
  });
});

describe('isSystemLabel', () => {
  it.each([
    ['aws/aws:autoscaling:groupName', true],
    ['aws/aws:', true],
    ['aws/aws', false],
    ['aws/AWS:x', false],
    ['aws:x', false],
    ['dynamic/aws:x', false],
  ])('%s: %s', (key, expected) => {
    expect(isSystemLabel(key)).toBe(expected);
  });
});

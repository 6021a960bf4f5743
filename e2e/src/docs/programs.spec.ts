import { describe, expect, it } from '@jest/globals';
import { anchors, fencedBlocks, inlineCode, tableUnder } from './markdown.ts';
import { tagctlMentionProblem, tagctlProblem, tagctlTree } from './programs.ts';
import { shellWords } from './shell-words.ts';

describe('tagctlProblem', () => {
  it.each([
    ['a command', ['lock', 'ls'], undefined],
    ['a command with flags and arguments', ['nodes', 'ls', '--format', 'json', '--limit', '10'], undefined],
    ['a command that it has not', ['lock', 'list'], /unknown command/],
    ['a flag that it has not', ['lock', 'ls', '--all'], /unknown option/],
    ['a value that is none', ['ca', 'rotate', '--phase', 'back'], /phase/],
    ['an argument too few', ['nodes', 'get'], /missing required argument/],
  ])('judges %s', async (_what, words, problem) => {
    const found = await tagctlProblem(words);
    if (problem === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(problem);
  });
});

describe('tagctlMentionProblem', () => {
  it.each([
    ['lock add --identity', undefined],
    ['ca status', undefined],
    ['nodes get ID', undefined],
    ['lock list', 'no command list'],
    ['lock add --who', 'no flag --who'],
  ])('judges %s', async (words, problem) => {
    expect(tagctlMentionProblem(await tagctlTree(), words.split(' '))).toBe(problem);
  });
});

describe('shellWords', () => {
  it('takes quotes off and leaves comments out', () => {
    expect(shellWords(`lock add --message 'disk stolen' --ttl "2h"  # for now`)).toEqual([
      ...['lock', 'add', '--message', 'disk stolen', '--ttl', '2h'],
    ]);
  });
});

describe('what is read of a document', () => {
  const text = '# One\n\n`a b`\n\n## Two, and: more\n\n| a | b |\n| - | - |\n| `c` |  |\n\n```sh\n`x`\n```\n';

  it('is its code, tables and headings', () => {
    expect(inlineCode(text)).toEqual(['a b', 'c']);
    expect(fencedBlocks(text, 'sh')).toEqual(['`x`\n']);
    expect(tableUnder(text, '## Two, and: more')).toEqual([['`c`', '']]);
    expect([...anchors(text)]).toEqual(['one', 'two-and-more']);
  });

  it('is no table where there is none', () => {
    expect(() => tableUnder(text, '## Three')).toThrow('no table under ## Three');
  });
});

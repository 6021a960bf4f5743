import { describe, expect, it } from '@jest/globals';
import { readOptions } from './options.ts';

describe('readOptions', () => {
  it.each([
    [[], { once: false, format: 'text' }],
    [['--once', '--format', 'json'], { once: true, format: 'json' }],
    [['--help'], undefined],
  ])('reads %j', (args, expected) => {
    expect(readOptions(args)).toEqual(expected);
  });

  it.each([
    [['--format', 'xml'], /--format/],
    [['--what'], /--what/],
  ])('refuses %j', (args, problem) => {
    expect(() => readOptions(args)).toThrow(problem);
  });
});

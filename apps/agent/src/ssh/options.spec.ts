import { describe, expect, it } from '@jest/globals';
import { readPrincipalsOptions } from './options.ts';

describe('readPrincipalsOptions', () => {
  it.each([
    ['--user u --certificate c', { user: 'u', certificate: 'c' }],
    ['--certificate c --user -x', { user: '-x', certificate: 'c' }],
    ['--user --certificate --certificate c', { user: '--certificate', certificate: 'c' }],
    ['--user u --certificate c --socket /s', { user: 'u', certificate: 'c', socket: '/s' }],
    ['--user u --certificate c --config /f', { user: 'u', certificate: 'c', config: '/f' }],
  ])('reads %s', (line, options) => {
    expect(readPrincipalsOptions(line.split(' '))).toEqual(options);
  });

  it.each([
    [[], '--user is needed: %u in sshd_config'],
    [['--user', '', '--certificate', 'c'], '--user is needed: %u in sshd_config'],
    [['--user', 'u'], '--certificate is needed: %k in sshd_config'],
    [['--user', 'u', '--certificate'], '--certificate needs a value'],
    [['--user', 'u', '--user', 'v'], '--user is there twice'],
    [['--login', 'u'], 'unknown option "--login"'],
    [['u'], 'unknown option "u"'],
  ])('refuses %j', (args, problem) => {
    expect(readPrincipalsOptions(args)).toBe(problem);
  });
});

import { describe, expect, it } from '@jest/globals';
import { dropInText, isOurs, ourCommand, wordProblem } from './drop-in.ts';

const DROP_IN = {
  program: ['/usr/bin/node', '/usr/lib/tagplane-agent/main.js'],
  user: 'nobody',
  socket: '/run/tagplane-agent/ssh.sock',
  caKeys: '/etc/ssh/user_ca.pub',
};
const COMMAND =
  '/usr/bin/node /usr/lib/tagplane-agent/main.js ssh principals --user %u --certificate %k --socket /run/tagplane-agent/ssh.sock';

describe('the drop-in', () => {
  it('says what sshd needs, and whose it is', () => {
    const text = dropInText(DROP_IN);
    expect(text.split('\n').slice(1)).toEqual([
      'TrustedUserCAKeys /etc/ssh/user_ca.pub',
      `AuthorizedPrincipalsCommand ${COMMAND}`,
      'AuthorizedPrincipalsCommandUser nobody',
      '',
    ]);
    expect(isOurs(text)).toBe(true);
    expect(isOurs(`PermitRootLogin no\n${text}`)).toBe(false);
    expect(isOurs('')).toBe(false);
  });

  it('leaves the authorities to others', () => {
    expect(dropInText({ ...DROP_IN, caKeys: undefined })).not.toContain('TrustedUserCAKeys');
  });

  it.each(['/usr/bin/node', 'nobody', '/a/b_c-1.2+3,x:y@z=w'])('%s can stand in it', (word) => {
    expect(wordProblem(word)).toBeUndefined();
  });

  it.each(['', '/a b', '/a"b', "/a'b", '/a%b', '/a#b', '/a\\b', '/a\nPermitRootLogin yes'])(
    '%j cannot',
    (word) => {
      expect(wordProblem(word)).toContain('cannot stand in sshd_config');
    },
  );
});

describe('ourCommand', () => {
  it('reads what was written', () => {
    expect(ourCommand(COMMAND)).toEqual({ program: DROP_IN.program, socket: DROP_IN.socket });
    expect(ourCommand('/bin/tagplane-agent ssh principals --certificate %k --user %u')).toEqual({
      program: ['/bin/tagplane-agent'],
      socket: undefined,
    });
  });

  it.each([
    'none',
    '/usr/bin/other %u',
    'ssh principals --user %u --certificate %k',
    '/bin/tagplane-agent ssh principals --user root --certificate %k',
    '/bin/tagplane-agent ssh principals --user %u',
  ])('knows that %s is not ours', (command) => {
    expect(ourCommand(command)).toBeUndefined();
  });
});

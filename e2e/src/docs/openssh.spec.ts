import { beforeAll, describe, expect, it } from '@jest/globals';
import { fencedBlocks, inlineCode, readDocument, tableUnder } from './markdown.ts';
import { importSource, runProgram } from './programs.ts';
import { shellWords } from './shell-words.ts';

let text: string;

beforeAll(async () => {
  ({ text } = await readDocument('docs/openssh.md'));
});

describe('docs/openssh.md', () => {
  it('shows what ssh install writes', async () => {
    const { dropInText } = (await importSource('apps/agent/src/ssh/setup/drop-in.ts')) as {
      readonly dropInText: (dropIn: object) => string;
    };
    expect(fencedBlocks(text, 'sshd')).toEqual([
      dropInText({
        program: ['/usr/bin/node', '/usr/lib/tagplane-agent/main.js'],
        user: 'nobody',
        socket: '/run/tagplane-agent/ssh.sock',
        caKeys: '/etc/ssh/user_ca.pub',
      }),
    ]);
  });

  it('has only flags that the commands have', async () => {
    const help = await runProgram('agent', 'ssh', '--help');
    const lines = [
      ...fencedBlocks(text, 'sh').flatMap((block) => block.split('\n')),
      ...inlineCode(text).filter((code) => /^tagplane-agent ssh .*--/.test(code)),
    ]
      .map(shellWords)
      .filter(([program, command]) => program === 'tagplane-agent' && command === 'ssh');
    expect(lines.length).toBeGreaterThan(2);
    for (const [, , command = '', ...rest] of lines) {
      expect(help).toContain(`tagplane-agent ssh ${command} `);
      for (const flag of rest.filter((word) => word.startsWith('--'))) expect(help).toContain(`${flag} `);
    }
  });

  it('has the exit codes of the command that sshd runs', async () => {
    const help = await runProgram('agent', 'ssh', '--help');
    const codes = tableUnder(text, '## When somebody is refused').flatMap(
      ([said = '']) => /status (\d)/.exec(said)?.[1] ?? [],
    );
    expect(codes).toEqual(['1', '2', '3']);
    for (const code of codes) expect(help).toMatch(new RegExp(`\\b${code} (?:when|for)\\b`));
  });
});

import { describe, expect, it, jest } from '@jest/globals';
import { runTagctl, tagctlEnv } from './tagctl.ts';

// A process starts in a second; a busy machine may take ten times that.
jest.setTimeout(120_000);

describe('runTagctl', () => {
  it('keeps what was printed apart from what was said beside it', async () => {
    expect(await runTagctl(['version'], {})).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^tagctl /),
      stderr: '',
      output: [expect.stringMatching(/^tagctl /)],
    });
    const failed = await runTagctl(['nodes', 'lss'], {});
    expect(failed).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('unknown command') });
    expect(failed.output).toHaveLength(1);
  });

  it('gives it what it reads', async () => {
    const { code, stderr } = await runTagctl(['create', '-'], tagctlEnv({ port: 1 }), {
      stdin: 'kind: other',
    });
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('standard input') });
  });

  it('is whom the environment says, not whom the home of the tester says', async () => {
    const claimed = await runTagctl(['whoami', '--name', 'bob'], tagctlEnv({ port: 1 }));
    expect(claimed.stdout).toMatch(/^who +operator bob\n/);
    const certified = await runTagctl(
      ['whoami'],
      tagctlEnv({ port: 1, credentialFile: '/nonexistent/a.json' }),
    );
    expect(certified).toMatchObject({ code: 2, stderr: expect.stringContaining('/nonexistent/a.json') });
  });
});

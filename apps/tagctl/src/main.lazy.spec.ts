import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, jest } from '@jest/globals';

// A process starts in a second; a busy machine may take ten times that.
jest.setTimeout(60_000);

const exec = promisify(execFile);
const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
/** Lets no process load what speaks to the auth service. */
const HOOK = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  registerHooks({
    resolve(specifier, context, next) {
      if (/^@(tagplane\\/protocol|connectrpc|bufbuild)/.test(specifier)) throw new Error('loads ' + specifier);
      return next(specifier, context);
    },
  });`)}`;

async function start(args: readonly string[]): Promise<string> {
  const env = { PATH: process.env['PATH'], HOME: '/nonexistent' };
  const command = ['--conditions=@tagplane/source', '--import', HOOK, MAIN, ...args];
  return await exec(process.execPath, command, { env }).then(
    ({ stdout }) => stdout,
    (error: unknown) => String((error as { stderr?: unknown }).stderr),
  );
}

describe('the API is not loaded', () => {
  it.each([
    [['version'], /^tagctl /],
    [['version', '--format', 'json'], /"version"/],
    [['--help'], /^Usage: tagctl /],
    [['tokens', 'add', '--help'], /^Usage: tagctl tokens add /],
    [['completion', 'bash'], /^# bash completion/],
    [['nodes', 'lss'], /unknown command/],
  ])('for %j', async (args, expected) => {
    expect(await start(args)).toMatch(expected);
  });

  it('but for a command that needs it it is', async () => {
    expect(await start(['status'])).toMatch(/loads @/);
  });
});

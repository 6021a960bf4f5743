import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createProgram } from '../program.ts';
import { run } from '../testing/capture.ts';
import { commandModel, places } from './model.ts';
import { SHELLS } from './shells.ts';

// Generous: sockets and processes on a busy machine.
jest.setTimeout(60_000);

const exec = promisify(execFile);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tagctl-completion-'));
  const { stdout } = await run(['completion', 'bash']);
  await writeFile(join(folder, 'tagctl.bash'), stdout);
  await writeFile(join(folder, 'my infos.yaml'), '');
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** What a real bash offers with the cursor at the end of these words. */
async function offered(...words: string[]): Promise<string[]> {
  const script = `
    source ./tagctl.bash
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _tagctl
    for one in "\${COMPREPLY[@]}"; do printf '%s\\n' "$one"; done`;
  const { stdout } = await exec('bash', ['--norc', '-c', script, 'bash', 'tagctl', ...words], {
    cwd: folder,
  });
  return stdout.split('\n').filter((line) => line !== '');
}

describe('the bash script', () => {
  it('registers itself', async () => {
    const { stdout } = await exec('bash', ['--norc', '-c', 'source <(cat tagctl.bash); complete -p tagctl'], {
      cwd: folder,
    });
    expect(stdout).toBe('complete -F _tagctl tagctl\n');
  });

  it.each([
    [['s'], ['server-infos', 'status']],
    [['log'], ['login', 'logout']],
    [
      ['tokens', ''],
      ['add', 'ls', 'rm', 'help'],
    ],
    [
      ['tokens', 'add', '--role', ''],
      ['agent', 'discovery', 'operator'],
    ],
    [
      ['tokens', 'add', '--i'],
      ['--instance', '--identity', '--insecure'],
    ],
    [['--identity', 'nodes', 'lock', 'add', '--ag'], ['--agent']],
    [
      ['ca', 'rotate', '--phase', ''],
      ['trust', 'sign', 'drop', 'cancel'],
    ],
    [
      ['audit', 'tail', '--fo'],
      ['--follow', '--format'],
    ],
    [
      ['login', '--token'],
      ['--token', '--token-file'],
    ],
    [
      ['nodes', ''],
      ['ls', 'get', 'watch', 'help'],
    ],
    [['--timeout', '5s', '--format=json', 'nodes', 'w'], ['watch']],
    [['nodes', 'ls', '--l'], ['--limit']],
    [
      ['nodes', 'ls', '--format', ''],
      ['table', 'json', 'yaml'],
    ],
    [['nodes', 'ls', '--format', '=', 'y'], ['yaml']],
    [
      ['nodes', 'ls', '--format', '='],
      ['table', 'json', 'yaml'],
    ],
    [['--format', '=', 'json', 'server-infos', 'r'], ['rm']],
    [['--address', 'nodes', 'st'], ['status']],
    [['nodes', 'ls', '--limit', ''], []],
    [['nodes', 'get', ''], []],
    [
      ['create', '--fo'],
      ['--force', '--format'],
    ],
    [['create', 'my'], ['my infos.yaml']],
    [
      ['create', '--force', ''],
      ['my infos.yaml', 'tagctl.bash'],
    ],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
  ])('after %j offers %j', async (words, expected) => {
    expect((await offered(...words)).sort()).toEqual([...expected].sort());
  });
});

describe('every script', () => {
  const never = { connected: () => Promise.resolve(), alone: () => Promise.resolve() };
  const model = commandModel(createProgram(never));

  it.each(SHELLS)('names every command and flag of the tree: %s', async (shell) => {
    const { code, stdout } = await run(['completion', shell]);
    expect(code).toBe(0);
    for (const place of places(model)) {
      for (const word of place.words) expect(stdout).toContain(word);
      for (const name of place.model.flags.flatMap(({ names }) => names)) {
        const flag =
          shell === 'fish' ? (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`) : name;
        expect(stdout).toContain(flag);
      }
    }
  });

  it('knows flags by the command they belong to', () => {
    const flagsOf = (...words: string[]): string[] =>
      places(model)
        .filter((place) => place.words.join() === words.join())
        .flatMap((place) => place.model.flags.flatMap(({ names }) => names));
    expect(flagsOf('create')).toContain('--force');
    expect(flagsOf('nodes', 'ls')).toEqual(expect.arrayContaining(['--limit', '--format', '--help']));
    expect(flagsOf('nodes', 'get')).not.toContain('--limit');
  });

  it('another shell is refused', async () => {
    expect(await run(['completion', 'tcsh'])).toMatchObject({ code: 2, stdout: '' });
  });
});

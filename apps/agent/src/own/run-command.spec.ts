import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '../testing/index.ts';
import { runCommand } from './run-command.ts';

jest.setTimeout(60_000);

const LIMITS = { timeoutMs: 30_000, maxBytes: 2_048 };
const never = new AbortController().signal;

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'agent-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

function sh(script: string, limits = LIMITS, signal = never) {
  return runCommand(['/bin/sh', '-c', script], limits, signal);
}

/** Resolves when the process whose id is in the file is gone. */
async function gone(file: string): Promise<void> {
  await eventually('the process to end', async () => {
    const pid = Number(await readFile(file, 'utf8'));
    const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
    // Nobody may be there to reap it.
    return / [ZX] ?/.test(state.slice(state.lastIndexOf(')'))) ? true : undefined;
  });
}

describe('runCommand', () => {
  it('gives what a program prints, and no shell reads its arguments', async () => {
    const outcome = await runCommand(['printf', '%s', '$HOME; ü'], LIMITS, never);
    expect(outcome).toEqual({ kind: 'printed', text: '$HOME; ü' });
  });

  it('hands nothing of the environment over', async () => {
    process.env['TAGPLANE_JOIN_TOKEN'] = 'secret';
    try {
      const outcome = await runCommand(['env'], LIMITS, never);
      expect(outcome).toMatchObject({ text: expect.stringMatching(/^PATH=.*\nLANG=C.UTF-8\n$/) });
    } finally {
      delete process.env['TAGPLANE_JOIN_TOKEN'];
    }
  });

  it.each([
    ['a code that is not 0', 'echo secret; exit 3', /^exit code 3$/],
    ['a signal', 'kill -TERM $$', /^ended by SIGTERM$/],
    ['more than it may print', 'while :; do echo secret; done', /^it printed more than 2048 bytes$/],
    ['no UTF-8', "printf 'secret\\377'", /^what it printed is not UTF-8$/],
  ])('fails on %s', async (_, script, problem) => {
    const outcome = await sh(script);
    expect(outcome).toEqual({ kind: 'failed', problem: expect.stringMatching(problem) });
    expect(JSON.stringify(outcome)).not.toContain('secret');
  });

  it.each([
    [join('/', 'no', 'such', 'program'), /^there is no such program$/],
    ['/etc/passwd', /^the program may not be run$/],
  ])('says why %s cannot be started', async (program, problem) => {
    const outcome = await runCommand([program], LIMITS, never);
    expect(outcome).toEqual({ kind: 'failed', problem: expect.stringMatching(problem) });
  });

  it('ends what takes too long, with all that it started', async () => {
    const file = join(directory, 'pid');
    const outcome = await sh(`sleep 600 & echo $! > ${file}; wait`, { ...LIMITS, timeoutMs: 1_000 });
    expect(outcome).toEqual({ kind: 'failed', problem: 'it took longer than 1000 ms' });
    await gone(file);
  });

  it('ends what a program left running, and takes what it said', async () => {
    const file = join(directory, 'pid');
    const outcome = await sh(`sleep 600 & echo $! > ${file}; echo value`);
    expect(outcome).toEqual({ kind: 'printed', text: 'value\n' });
    await gone(file);
  });

  it('does not wait for a process that left the group and holds the pipe', async () => {
    const file = join(directory, 'pid');
    const outcome = await sh(
      `setsid sh -c 'echo $$ > ${file}; exec sleep 600' & until [ -s ${file} ]; do :; done; echo a`,
    );
    expect(outcome).toEqual({ kind: 'printed', text: 'a\n' });
    process.kill(Number(await readFile(file, 'utf8')), 'SIGKILL');
  });

  it('rejects when it is aborted, with nothing left running', async () => {
    const file = join(directory, 'pid');
    const stop = new AbortController();
    const running = sh(`echo $$ > ${file}; sleep 600 & wait`, LIMITS, stop.signal);
    await eventually('its start', () =>
      readFile(file, 'utf8').then((text) => (text === '' ? undefined : text)),
    );
    stop.abort(new Error('stopped'));
    await expect(running).rejects.toThrow('stopped');
    await gone(file);
    await expect(sh('true', LIMITS, stop.signal)).rejects.toThrow('stopped');
  });
});

import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import type { ManagedProcess } from '@tagplane/harness';
import { startProcess, waitFor } from '@tagplane/harness';

const MAIN = new URL('main.ts', import.meta.url).pathname;
const startDemo = (...args: string[]): Promise<ManagedProcess> =>
  startProcess({
    name: 'demo',
    command: process.execPath,
    args: ['--conditions=@tagplane/source', MAIN, ...args],
  });

describe('the demo as a process', () => {
  it('ends with exit code 0 when it is interrupted, and leaves nothing running', async () => {
    await using demo = await startDemo();
    const children = await runningParts(demo);
    process.kill(demo.pid, 'SIGINT');
    expect(await demo.exited).toBe(0);
    expect(children.filter(isRunning)).toEqual([]);
    expect(demo.output.join('\n')).not.toContain('    at ');
  }, 120_000);

  it('ends with exit code 1 and says which part ended', async () => {
    await using demo = await startDemo('--once', '--format', 'json');
    const [auth = Number.NaN, discovery = Number.NaN] = await runningParts(demo);
    process.kill(auth, 'SIGKILL');
    expect(await demo.exited).toBe(1);
    await waitFor('the reason', () => demo.output.some((line) => line.includes('auth was killed')));
    expect(isRunning(discovery)).toBe(false);
  }, 120_000);
});

/** Auth and discovery, once the demo has both and shows what they do. */
async function runningParts({ pid, output }: ManagedProcess): Promise<number[]> {
  await waitFor('progress', () => output.some((line) => /^\d+ instances/.test(line)), {
    timeoutMs: 60_000,
  });
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  const pids = children.trim().split(' ').map(Number);
  expect(pids).toHaveLength(2);
  return pids;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { startRedis } from '@tagplane/store-redis/testing';
import type { Measured, Sample } from '../figure.ts';
import { startLoginAgent } from '../login-agent.ts';
import type { Suite } from '../suite.ts';

const TIMES = 200;
/** What a program does that does nothing. */
const NOTHING = ['-e', '0'];

/**
 * SSH: what sshd runs at a login, from its start to its end, with a warm agent to answer it. The floor is the
 * start of Node, by turns.
 */
export const sshSuite: Suite = async ({ runs }) => {
  await using redis = await startRedis();
  await using agent = await startLoginAgent(redis.url);
  const middle: Sample[] = [];
  const slow: Sample[] = [];
  for (let run = 0; run < runs; run += 1) {
    const ours: number[] = [];
    const floor: number[] = [];
    for (let time = 0; time < TIMES; time += 1) {
      floor.push(await milliseconds(NOTHING, ''));
      ours.push(await milliseconds(agent.command, agent.prints));
    }
    middle.push({ value: percentile(ours, 0.5), floor: percentile(floor, 0.5) });
    slow.push({ value: percentile(ours, 0.99), floor: percentile(floor, 0.99) });
  }
  return [figure('median', middle), { ...figure('p99', slow), goal: { of: 'value', at: 'most', bound: 50 } }];
};

function figure(name: string, samples: readonly Sample[]): Measured {
  return { name: `ssh principals, ${TIMES} times: ${name}`, unit: 'ms', samples };
}

/** From the start of a Node to its end. @throws Error when it does not print what it should */
async function milliseconds(args: readonly string[], prints: string): Promise<number> {
  const start = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  const [code, printed] = await Promise.all([ended, text(child.stdout)]);
  const end = performance.now();
  if (code !== 0 || printed !== prints) throw new Error(`it ended with ${String(code)}: ${printed}`);
  return end - start;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

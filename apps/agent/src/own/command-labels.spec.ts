import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { clockAt, eventually, heardLog } from '../testing/index.ts';
import type { LabelCommand } from './command-field.ts';
import { CommandLabels } from './command-labels.ts';
import { countingCommands } from './stated-labels.ts';

jest.setTimeout(60_000);

let directory: string;
let file: string;
let now: number;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'agent-'));
  file = join(directory, 'value');
  now = 0;
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

/** Shorter than a configuration allows, so that a test sees more than one run. */
const PERIOD_MS = 50;

function command(words: LabelCommand['command'], changes: Partial<LabelCommand> = {}): LabelCommand {
  return { name: 'kernel', command: words, periodMs: PERIOD_MS, timeoutMs: 30_000, ...changes };
}

interface Running extends AsyncDisposable {
  readonly labels: CommandLabels;
  readonly results: string[];
  readonly logged: unknown[];
}

function run(commands: readonly LabelCommand[]): Running {
  const stop = new AbortController();
  const results: string[] = [];
  const { log, said } = heardLog();
  const labels = new CommandLabels({
    commands,
    clock: () => clockAt(now)(),
    random: () => 0.5,
    ran: (name, result) => {
      results.push(`${name} ${result}`);
    },
    log,
  });
  const running = labels.run(stop.signal);
  return {
    labels,
    results,
    logged: said,
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the test is over'));
      await running;
    },
  };
}

async function until(what: string, holds: () => boolean): Promise<void> {
  await eventually(what, () => Promise.resolve(holds() ? true : undefined));
}

describe('CommandLabels', () => {
  it('has no value before the first run, and then what was printed, trimmed', async () => {
    await using running = run([command(['printf', ' 6.1 \n\n'])]);
    expect(running.labels.view()).toMatchObject([{ name: 'kernel', value: undefined, remainingMs: 0 }]);
    await until('a value', () => running.labels.view()[0]?.value !== undefined);
    expect(running.labels.view()).toEqual([
      { name: 'kernel', value: '6.1', ageMs: 0, remainingMs: 3 * PERIOD_MS, problem: undefined },
    ]);
    expect(countingCommands(running.labels.view())).toEqual(new Map([['kernel', '6.1']]));
    expect(running.logged).toEqual([]);
  });

  it('keeps the last value with its age while the command fails, until three periods are over', async () => {
    await writeFile(file, 'one');
    await using running = run([command(['cat', file])]);
    await until('a value', () => running.labels.view()[0]?.value === 'one');
    await rm(file);
    await until('failures', () => running.results.filter((each) => each === 'kernel failed').length >= 3);
    now = 3 * PERIOD_MS - 1;
    expect(running.labels.view()[0]).toMatchObject({ value: 'one', remainingMs: 1, problem: 'exit code 1' });
    now += 1;
    expect(running.labels.view()[0]).toMatchObject({ value: 'one', ageMs: now, remainingMs: 0 });
    expect(countingCommands(running.labels.view())).toEqual(new Map());
    await writeFile(file, 'two');
    await until('another value', () => running.labels.view()[0]?.value === 'two');
    expect(countingCommands(running.labels.view())).toEqual(new Map([['kernel', 'two']]));
    // However often it failed.
    expect(running.logged).toEqual([
      { event: 'label_command_failed', label: 'kernel', reason: 'exit code 1' },
      { event: 'label_command_recovered', label: 'kernel' },
    ]);
  });

  it('takes no value that no label can have, and shows none', async () => {
    await writeFile(file, 'secret'.repeat(100));
    await using running = run([command(['cat', file])]);
    await until('a failure', () => running.results.includes('kernel failed'));
    const [view] = running.labels.view();
    expect(view).toMatchObject({ value: undefined, problem: expect.stringMatching(/longer than 256/) });
    expect(JSON.stringify(running.logged)).not.toContain('secret');
  });

  it('runs commands side by side: one that hangs holds no other up', async () => {
    await using running = run([
      command(['sleep', '600'], { name: 'hangs' }),
      command(['echo', 'a'], { name: 'quick' }),
    ]);
    await until('the quick one', () => running.results.filter((each) => each === 'quick ok').length >= 2);
    expect(running.results).not.toContain('hangs ok');
  });
});

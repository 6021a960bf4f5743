import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { addressField, durationField } from './config-fields.ts';
import { ConfigError } from './config.ts';
import type { Program } from './program.ts';
import { runProgram } from './program.ts';
import { sleep } from './time.ts';
import { VERSION } from './version.ts';

const schema = z.strictObject({
  listen: addressField.prefault(':7420').describe('Where to listen.'),
  poll_interval: durationField({ min: '1s', max: '1h' }).prefault('5m'),
  url: z.string().optional(),
});
type Config = z.output<typeof schema>;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tagplane-program-'));
  writeFileSync(join(folder, 'good.yaml'), 'listen: 127.0.0.1:1\n');
  writeFileSync(join(folder, 'bad.yaml'), 'listen: nowhere\n');
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly started: readonly Config[];
}

interface Around {
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly start?: Program<typeof schema>['start'];
}

/** Runs a program whose `start` only notes its configuration, if none is given. */
async function run(args: readonly string[], around: Around = {}): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const started: Config[] = [];
  const program: Program<typeof schema> = {
    name: 'tagplane-thing',
    summary: 'does a thing',
    config: schema,
    async start(config, io) {
      started.push(config);
      await around.start?.(config, io);
    },
    commands: {
      labels: {
        usage: 'labels [--format json]',
        summary: 'print the labels',
        run: (rest, io) => {
          io.stdout.write(`labels ${rest.join(',')}\n`);
          return Promise.resolve(rest.includes('none') ? 3 : 0);
        },
      },
    },
  };
  const code = await runProgram(
    program,
    args.map((argument) => argument.replace('DIR', folder)),
    {
      env: around.env ?? {},
      stdout: { write: (text) => out.push(text) },
      stderr: { write: (text) => err.push(text) },
      signal: around.signal ?? new AbortController().signal,
    },
  );
  return { code, out: out.join(''), err: err.join(''), started };
}

describe('runProgram', () => {
  it.each<[string[], Record<string, string>, number]>([
    [['start'], {}, 7420],
    [['start', '--config', 'DIR/good.yaml'], {}, 1],
    [['start', '--config=DIR/good.yaml'], { TAGPLANE_LISTEN: ':2' }, 2],
    [['start', '-c', 'DIR/good.yaml'], {}, 1],
  ])('%j starts with its configuration', async (args, env, port) => {
    const { code, err, started } = await run(args, { env });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(started).toEqual([{ listen: { host: '127.0.0.1', port }, poll_interval: 300_000 }]);
  });

  it('takes the file from TAGPLANE_CONFIG, unless a flag names another', async () => {
    const env = { TAGPLANE_CONFIG: join(folder, 'bad.yaml') };
    expect(await run(['start'], { env })).toMatchObject({ code: 2, started: [] });
    expect(await run(['start', '-c', 'DIR/good.yaml'], { env })).toMatchObject({ code: 0 });
  });

  it.each([
    ['start', '--config', 'DIR/bad.yaml'],
    ['config', 'check', '--config', 'DIR/bad.yaml'],
  ])('%s %s %s %s ends with 2 and one line that names the key', async (...args) => {
    expect(await run(args)).toEqual({
      code: 2,
      out: '',
      err: 'tagplane-thing: listen: expected HOST:PORT\n',
      started: [],
    });
  });

  it('checks a configuration without starting', async () => {
    expect(await run(['config', 'check', '-c', 'DIR/good.yaml'])).toEqual({
      code: 0,
      out: 'the configuration is good\n',
      err: '',
      started: [],
    });
  });

  it.each([
    [['launch'], "unknown command 'launch'"],
    [['config'], "unknown command 'config'"],
    [['config', 'chekc'], "unknown command 'config chekc'"],
    [['toString'], "unknown command 'toString'"],
    [['__proto__'], "unknown command '__proto__'"],
    [['--config', 'x'], "unknown command '--config'"],
    [['start', '--confg', 'x'], "Unknown option '--confg'"],
    [['start', '--config'], "Option '-c, --config <value>' argument missing"],
    [['start', 'now'], "Unexpected argument 'now'"],
  ])('%j ends with 2', async (args, expected) => {
    const { code, out, err, started } = await run(args);
    expect({ code, out, started }).toEqual({ code: 2, out: '', started: [] });
    expect(err).toContain(`tagplane-thing: ${expected}`);
    expect(err.match(/\n/g)).toHaveLength(1);
  });

  it.each([['--help'], ['-h'], ['help'], [], ['start', '--help'], ['config', '-h']])(
    'shows its help: %s %s',
    async (...args) => {
      const { code, out, err, started } = await run(args);
      expect({ code, err, started }).toEqual({ code: 0, err: '', started: [] });
      expect(out).toMatch(/^tagplane-thing: does a thing\n/);
      expect(out).toContain('  labels [--format json]             print the labels\n');
      expect(out).toContain('  listen, TAGPLANE_LISTEN\n      Where to listen. (default ":7420")\n');
      expect(out).toContain('  poll_interval, TAGPLANE_POLL_INTERVAL\n      (default "5m")\n');
      expect(out).toContain('TAGPLANE_CONFIG');
      expect(out).not.toMatch(/ $/m);
    },
  );

  it('shows its version', async () => {
    expect(await run(['--version'])).toMatchObject({ code: 0, out: `tagplane-thing ${VERSION}\n`, err: '' });
  });

  it("runs its own commands with the rest of the arguments, and ends with the command's code", async () => {
    expect(await run(['labels', 'a', '--help'])).toMatchObject({ code: 0, out: 'labels a,--help\n' });
    expect(await run(['labels', 'none'])).toMatchObject({ code: 3 });
  });

  it.each<[string, unknown, number, string]>([
    ['the service failed', new Error('no route'), 1, 'tagplane-thing: no route\n'],
    ['it is no error', 'odd', 1, 'tagplane-thing: odd\n'],
    [
      'the service finds its configuration bad',
      new ConfigError('labels.a: refused'),
      2,
      'tagplane-thing: labels.a: refused\n',
    ],
  ])('when %s', async (_, error, code, err) => {
    const start = (): Promise<void> => {
      throw error as Error;
    };
    expect(await run(['start'], { start })).toMatchObject({ code, err });
  });

  it('ends with 0 when it was told to stop, whichever wait it was in', async () => {
    const stop = new AbortController();
    const running = run(['start'], {
      signal: stop.signal,
      start: async (_, io) => sleep(60_000, io.signal),
    });
    stop.abort(new Error('stopped by SIGTERM'));
    expect(await running).toMatchObject({ code: 0, err: '' });
  });

  it('ends with 1 when stopping failed', async () => {
    const start = (): Promise<void> => Promise.reject(new Error('not drained'));
    expect(await run(['start'], { start, signal: AbortSignal.abort() })).toMatchObject({
      code: 1,
      err: 'tagplane-thing: not drained\n',
    });
  });
});

describe('processIo', () => {
  const script = `
    import { processIo } from ${JSON.stringify(new URL('./program.ts', import.meta.url).href)};
    const io = processIo();
    setInterval(() => undefined, 1_000);
    io.signal.addEventListener('abort', () => io.stdout.write(io.signal.reason.message + '\\n'));
    io.stdout.write('ready\\n');
  `;

  it.each([
    ['SIGTERM', 'SIGINT'],
    ['SIGINT', 'SIGINT'],
    ['SIGTERM', 'SIGTERM'],
  ] as const)(
    'aborts at %s, and ends at once at a %s after it',
    async (first, second) => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, NODE_OPTIONS: '' },
      });
      child.stdout.setEncoding('utf8');
      try {
        expect(await once(child.stdout, 'data')).toEqual(['ready\n']);
        child.kill(first);
        expect(await once(child.stdout, 'data')).toEqual([`stopped by ${first}\n`]);
        child.kill(second);
        expect(await once(child, 'exit')).toEqual([null, second]);
      } finally {
        child.kill('SIGKILL');
      }
    },
    30_000,
  );
});

import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import type { ProgramIo } from '@tagplane/runtime';
import { readFlags } from './flags.ts';
import { run } from './run.ts';

function fakeIo() {
  const stop = new AbortController();
  const written = { out: '', err: '' };
  const io: ProgramIo = {
    env: {},
    stdout: { write: (text) => (written.out += text) },
    stderr: { write: (text) => (written.err += text) },
    signal: stop.signal,
  };
  return { io, stop, written };
}

describe('the command line', () => {
  it('listens, says where, and ends by the signal', async () => {
    const { io, stop, written } = fakeIo();
    const ended = run(['--listen', '127.0.0.1:0', '--instances', '6', '--regions', 'eu-west-1'], io);
    while (!written.out.includes('6 instances in eu-west-1'))
      await new Promise((resolve) => setTimeout(resolve, 5));
    const [url = ''] = /http:\/\/\S+/.exec(written.out) ?? [];
    expect(written.out).toContain('loopback only');
    expect(await (await fetch(`${url}/_control/health`)).json()).toEqual({ status: 'ok' });
    stop.abort();
    expect(await ended).toBe(0);
    await expect(fetch(url)).rejects.toThrow();
    expect(written.err).toBe('');
  });

  it('says what is wrong with a script, and where a script cannot be read', async () => {
    for (const [script, problem] of [
      ['/nonexistent', 'ENOENT'],
      [fileURLToPath(import.meta.url), 'no JSON'],
    ] as const) {
      const { io, written } = fakeIo();
      expect(await run(['--listen', '127.0.0.1:0', '--script', script], io)).toBe(1);
      expect(written.err).toContain(problem);
    }
  });

  it('ends with 1 when it cannot listen', async () => {
    const { io, written } = fakeIo();
    expect(await run(['--listen', '192.0.2.1:1', '--instances', '0'], io)).toBe(1);
    expect(written.err).toContain('cannot listen on 192.0.2.1:1');
  });

  it.each([
    ['--help', 'Usage'],
    ['--version', 'tagplane-ec2-simulator 0.'],
  ])('%s', async (flag, text) => {
    const { io, written } = fakeIo();
    expect(await run([flag], io)).toBe(0);
    expect(written.out).toContain(text);
  });

  it.each([
    [['--instances', '100001'], '--instances'],
    [['--instances', '-1'], 'instances'],
    [['--seed', 'x'], '--seed'],
    [['--regions', 'mars'], '--regions'],
    [['--regions', 'us-east-1,us-east-1'], '--regions'],
    [['--listen', 'here'], '--listen'],
    [['--account', '12'], '--account'],
    [['--access-key', 'AK'], '--access-key'],
    [['--linger-ms', '1.5'], '--linger-ms'],
    [['--windows', '101'], '--windows'],
    [['--accounts', '1001'], '--accounts'],
    [['--stale-reads', '2'], '--stale-reads'],
    [['--nonsense'], '--nonsense'],
    [['stray'], 'stray'],
  ])('%j: exit 2 and one line that names the flag', async (args, named) => {
    const { io, written } = fakeIo();
    expect(await run(args, io)).toBe(2);
    expect(written.err).toContain(named);
    expect(written.err.trimEnd().split('\n')).toHaveLength(1);
  });

  it('reads every flag', () => {
    const invocation = readFlags(
      (
        '--instances 5 --seed 9 --regions us-east-1 --listen [::1]:80 --account 111111111111 ' +
        '--access-key A=222222222222 --access-key B=333333333333 --transition-ms 1 --linger-ms 2 --token-ttl-ms 3 --page-size 8 ' +
        '--accounts 4 --role R --external-id X --session-ttl-ms 5 --windows 6 --quotas --lag-ms 7 ' +
        '--stale-reads 0.5 --script FILE'
      ).split(' '),
    );
    expect(invocation).toEqual({
      kind: 'run',
      listen: { host: '::1', port: 80 },
      options: {
        instances: 5,
        seed: 9,
        regions: ['us-east-1'],
        account: '111111111111',
        accounts: new Map([
          ['A', '222222222222'],
          ['B', '333333333333'],
        ]),
        transitionMs: 1,
        lingerMs: 2,
        tokenTtlMs: 3,
        pageSize: 8,
        estate: { accounts: 4, role: 'R', externalId: 'X' },
        sessionTtlMs: 5,
        windowsPercent: 6,
        quotas: true,
        consistency: { lagMs: 7, staleReads: 0.5 },
      },
      script: 'FILE',
    });
  });
});

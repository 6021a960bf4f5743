import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readCredentialFile } from '@tagplane/credentials';
import { ConfigError, runProgram } from '@tagplane/runtime';
import type { Store } from '@tagplane/store';
import { openEmbeddedStore } from '@tagplane/store-embedded';
import { z } from 'zod';
import { RecordingAudit } from '../testing/recording-audit.ts';
import { openTestCa, running } from '../testing/test-ca.ts';
import { NO_COPY } from './ca-copy.ts';
import { bootstrapCommand } from './bootstrap-command.ts';
import { bootstrapOperator } from './bootstrap.ts';
import type { BootstrapOptions, Bootstrapped } from './bootstrap.ts';
import { readSealingKey } from './sealing-key.ts';

const HOUR = 3_600_000;

let folder: string;
let stack: AsyncDisposableStack;
let store: Store;
let audit: RecordingAudit;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bootstrap-'));
  stack = new AsyncDisposableStack();
  stack.defer(() => rm(folder, { recursive: true }));
  store = openStore();
  audit = new RecordingAudit();
});
afterEach(() => stack.disposeAsync());

/** The embedded store's file, as another process has it open. */
function openStore(): Store {
  return stack.use(openEmbeddedStore({ path: join(folder, 'tagplane.db'), kind: 'security' }));
}

function bootstrap(changes: Partial<BootstrapOptions> = {}): Promise<Bootstrapped> {
  return bootstrapOperator({
    store,
    audit,
    cluster: 'test',
    ca: { key_file: join(folder, 'ca.key') },
    copy: NO_COPY,
    name: 'admin',
    ttlMs: HOUR,
    out: join(folder, 'operator.json'),
    when: 'once',
    now: Date.now(),
    signal: new AbortController().signal,
    ...changes,
  });
}

describe('bootstrapOperator', () => {
  it('makes the key, the authority and credentials that it takes for an operator', async () => {
    const { credentials, pins, keyFile } = await bootstrap();
    expect(keyFile).toBe(join(folder, 'ca.key'));
    const sealingKey = await readSealingKey({ key_file: keyFile ?? '' });
    const authority = await openTestCa({ store, sealingKey });
    expect(authority.pins()).toEqual(pins);
    const kept = await readCredentialFile(join(folder, 'operator.json'));
    expect(kept).toMatchObject({ id: 'spiffe://test/operator/admin', role: 'operator', name: 'admin' });
    expect(kept?.privateKey).toBe(credentials.privateKey);
    expect(kept?.trust).toMatchObject({ cluster: 'test', generation: 1 });
    for (const file of ['ca.key', 'operator.json']) {
      expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600);
    }
    expect(audit.records.map(({ code, result }) => `${code} ${result}`)).toEqual([
      'ca.created ok',
      'ca.bootstrap ok',
    ]);
    expect(audit.of('ca.bootstrap')[0]?.subjects).toEqual(['spiffe://test/operator/admin']);
    expect(JSON.stringify(audit.records)).not.toContain('PRIVATE');
  });

  it('is done once, and again only when told to', async () => {
    await bootstrap();
    const out = join(folder, 'second.json');
    await expect(bootstrap({ out })).rejects.toThrow(
      /^it was done before, at .*, for operator\/admin; --again/,
    );
    await expect(stat(out)).rejects.toThrow('ENOENT');
    const { credentials, keyFile } = await bootstrap({ out, when: 'again', name: 'second' });
    expect([credentials.name, keyFile]).toEqual(['second', undefined]);
    expect(audit.of('ca.bootstrap').map(({ result, details }) => [result, details?.['when']])).toEqual([
      ['ok', 'once'],
      ['refused', undefined],
      ['ok', 'again'],
    ]);
  });

  it('is done by one of two that try at once', async () => {
    const key_file = join(folder, 'ca.key');
    await writeFile(key_file, `${'0f'.repeat(32)}\n`, { mode: 0o600 });
    const results = await Promise.allSettled([
      bootstrap({ out: join(folder, 'a.json') }),
      bootstrap({ out: join(folder, 'b.json'), store: openStore() }),
    ]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  it('works beside a process that runs, which goes on as it was', async () => {
    const ca = { key: '0f'.repeat(32) };
    const sealingKey = await readSealingKey(ca);
    const authority = await openTestCa({ store: openStore(), sealingKey });
    await using _process = running(authority);
    const { pins, keyFile } = await bootstrap({ ca });
    expect([pins, keyFile]).toEqual([authority.pins(), undefined]);
    const force = { force: true, signal: new AbortController().signal };
    expect(await authority.rotate('trust', force)).toMatchObject({ ok: true });
    await expect(bootstrap({ ca, out: join(folder, 'b.json') })).rejects.toThrow('it was done before');
  });

  it('is done if needed: not for credentials that will do, and again for others of the same operator', async () => {
    const when = 'if-needed';
    const first = await bootstrap({ when });
    const started = first.credentials.receivedAt;
    const sooner = await bootstrap({ when, now: started + 0.6 * HOUR });
    expect(sooner).toEqual({ ...first, kept: true, keyFile: undefined });
    const later = await bootstrap({ when, now: started + 0.7 * HOUR });
    expect(later.kept).toBe(false);
    expect(await readCredentialFile(join(folder, 'operator.json'))).toMatchObject({
      certificates: later.credentials.certificates,
    });
    expect(audit.of('ca.bootstrap').map(({ details }) => details?.['when'])).toEqual([when, when]);
  });

  it('is needed for credentials of an authority that is gone', async () => {
    const out = join(folder, 'operator.json');
    await bootstrap();
    const other = stack.use(openEmbeddedStore({ path: join(folder, 'other.db'), kind: 'security' }));
    const { credentials, kept, pins } = await bootstrap({ store: other, when: 'if-needed' });
    const sealingKey = await readSealingKey({ key_file: join(folder, 'ca.key') });
    const authority = await openTestCa({ store: other, sealingKey });
    expect([kept, pins]).toEqual([false, authority.pins()]);
    expect((await readCredentialFile(out))?.certificates).toEqual(credentials.certificates);
  });

  it.each([
    ["another operator's credentials", { name: 'other' }, /holds the credentials of operator\/admin/],
    ['something else', {}, /holds no credentials/],
  ])('replaces, if needed, no file that holds %s', async (what, changes, problem) => {
    const out = join(folder, 'operator.json');
    await bootstrap();
    if (what === 'something else') await writeFile(out, 'mine', { mode: 0o600 });
    const before = await readFile(out, 'utf8');
    await expect(bootstrap({ when: 'if-needed', ...changes })).rejects.toThrow(problem);
    expect(await readFile(out, 'utf8')).toBe(before);
  });

  it.each<[string, Partial<BootstrapOptions>, string]>([
    ['a name that no certificate may carry', { name: 'a/b' }, '--name: '],
    ['no key at all', { ca: {} }, 'ca.key_file: required'],
    ['another cluster', { cluster: 'other', out: 'other.json' }, 'cluster: '],
    ['another key', { ca: { key: 'ab'.repeat(32) }, out: 'other.json' }, 'ca.key_file: not the key'],
    [
      'a key file that is gone',
      { ca: { key_file: '/nonexistent/ca.key' }, out: 'other.json' },
      'ca.key_file: there is no',
    ],
  ])('refuses %s', async (_what, { out, ...changes }, problem) => {
    if (out !== undefined) await bootstrap();
    const attempt = bootstrap({
      ...changes,
      when: 'again',
      ...(out === undefined ? {} : { out: join(folder, out) }),
    });
    await expect(attempt).rejects.toThrow(ConfigError);
    await expect(attempt).rejects.toThrow(problem);
  });

  it('never overwrites a file, and says so before anything is done', async () => {
    const out = join(folder, 'operator.json');
    await writeFile(out, 'mine');
    await expect(bootstrap()).rejects.toThrow(new ConfigError(`--out: ${out} is there already`));
    expect(await readFile(out, 'utf8')).toBe('mine');
    await expect(stat(join(folder, 'ca.key'))).rejects.toThrow('ENOENT');
  });
});

describe('tagplane-auth bootstrap', () => {
  let output: string;
  let config: Parameters<typeof command>[0];

  beforeEach(() => {
    output = '';
    config = {
      cluster: 'test',
      ca: { key_file: join(folder, 'ca.key') },
      certificate_ttl: 12 * HOUR,
      listen: { host: '127.0.0.1', port: 7_420 },
    };
  });

  function command(given: {
    readonly cluster: string;
    readonly ca: { readonly key_file?: string };
    readonly certificate_ttl: number;
    readonly listen: { readonly host: string; readonly port: number };
  }) {
    return bootstrapCommand({
      load: () => given,
      open: () => ({ store, audit, copy: NO_COPY, [Symbol.asyncDispose]: () => Promise.resolve() }),
    });
  }

  function run(...args: string[]): Promise<number> {
    const write = (text: string): void => {
      output += text;
    };
    return runProgram(
      {
        name: 'tagplane-auth',
        summary: '',
        config: z.strictObject({}),
        start: () => Promise.resolve(),
        commands: { bootstrap: command(config) },
      },
      ['bootstrap', ...args],
      { env: {}, stdout: { write }, stderr: { write }, signal: new AbortController().signal },
    );
  }

  it('says what it made and what comes next', async () => {
    const out = join(folder, 'me.json');
    expect(await run('--name', 'ada', '--out', out, '--ttl', '2h')).toBe(0);
    const credentials = await readCredentialFile(out);
    expect(output.split('\n')).toEqual([
      expect.stringContaining(`${join(folder, 'ca.key')} (every auth process needs it`),
      `credentials of operator/ada: ${out} (good until ${new Date(credentials?.validUntil ?? 0).toISOString()})`,
      expect.stringMatching(/^CA pin: sha256:[0-9a-f]{64}$/),
      `next: tagctl login --identity ${out} --address 127.0.0.1:7420`,
      '',
    ]);
    const life = (credentials?.validUntil ?? 0) - Date.now();
    expect(life).toBeGreaterThan(1.9 * HOUR);
    expect(life).toBeLessThanOrEqual(2 * HOUR);
    expect(output).not.toContain('PRIVATE');
  });

  it('leaves the host open where the service listens on all of them', async () => {
    config = { ...config, listen: { host: '0.0.0.0', port: 99 } };
    expect(await run('--out', join(folder, 'me.json'))).toBe(0);
    expect(output).toContain('--address HOST:99\n');
  });

  it('is for scripts: it exits with 0 each time, and leaves the pin for those who join', async () => {
    const [out, pinOut] = [join(folder, 'me.json'), join(folder, 'ca-pin')];
    const words = ['--if-needed', '--out', out, '--ca-pin-out', pinOut];
    expect(await run(...words)).toBe(0);
    const pin = await readFile(pinOut, 'utf8');
    expect(output).toContain(`CA pin: ${pin}`);
    expect((await stat(pinOut)).mode & 0o777).toBe(0o644);
    await rm(pinOut);
    expect(await run(...words)).toBe(0);
    expect(output).toContain(`${out} (kept, good until `);
    expect(await readFile(pinOut, 'utf8')).toBe(pin);
    expect(await run(...words, '--again')).toBe(2);
    expect(await run('--if-needed', '--out', out, '--ca-pin-out', '/dev/null/pin')).toBe(2);
    expect(output).toContain('--ca-pin-out: /dev/null/pin cannot be written: ');
  });

  it('exits with 1 when it was done before, and with 2 when it was told nonsense', async () => {
    expect(await run('--out', join(folder, 'a.json'))).toBe(0);
    expect(await run('--out', join(folder, 'b.json'))).toBe(1);
    expect(output).toContain('tagplane-auth: it was done before, ');
    expect(await run('--out', join(folder, 'b.json'), '--again')).toBe(0);
    expect(await run('--ttl', '5s')).toBe(2);
    expect(output).toContain('--ttl: expected a duration from 1m to 365d');
    expect(await run('--nonsense')).toBe(2);
    expect(await run('--help')).toBe(0);
    expect(output).toContain('never overwritten');
  });
});

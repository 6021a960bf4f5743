import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createRegistry, silentLogger } from '@tagplane/runtime';
import type { Registry } from '@tagplane/runtime';
import { StoreUnavailableError } from '@tagplane/store';
import type { Store } from '@tagplane/store';
import { metric, overridden, testStores, until } from '../testing/test-stores.ts';
import type { TestStores } from '../testing/test-stores.ts';
import { auditField, createAuditLog } from './audit-log.ts';
import type { AuditLog, AuditLogOptions } from './audit-log.ts';
import { decodeEvent } from './event.ts';
import type { AuditEvent } from './event.ts';

const never = new AbortController().signal;
const WEEK_MS = 7 * 24 * 3_600_000;
let stack: AsyncDisposableStack;
let stores: TestStores;
let registry: Registry;
let folder: string;
let path: string;

beforeEach(() => {
  stack = new AsyncDisposableStack();
  stores = stack.use(testStores());
  registry = createRegistry('auth');
  folder = mkdtempSync(join(tmpdir(), 'audit-'));
  stack.defer(() => {
    rmSync(folder, { recursive: true });
  });
  path = join(folder, 'audit.log');
});
afterEach(() => stack.disposeAsync());

/** Running until the test is over. */
function start(options: Partial<AuditLogOptions> = {}): AuditLog {
  const audit = create(options);
  const stop = new AbortController();
  const running = audit.run(stop.signal);
  stack.defer(async () => {
    stop.abort(new Error('the test is over'));
    await running;
  });
  return audit;
}

function create(options: Partial<AuditLogOptions> = {}): AuditLog {
  return createAuditLog({
    store: stores.audit,
    authId: 'auth-1',
    output: path,
    retentionMs: WEEK_MS,
    log: silentLogger(),
    registry,
    ...options,
  });
}

function lines(): AuditEvent[] {
  const text = readFileSync(path, 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => decodeEvent(line) ?? { ...({} as AuditEvent), code: `unreadable: ${line}` });
}

async function stored(): Promise<AuditEvent[]> {
  const entries = await stores.audit.range({ prefix: '', limit: 1_000 }, { signal: never });
  return entries.flatMap(({ value }) => decodeEvent(value) ?? []);
}

const added = (id: string) => ({ code: 'lock.added', result: 'ok', subjects: [id] }) as const;
const refused = { code: 'join.refused', result: 'refused', remoteAddress: '10.0.0.1', reason: 'no' } as const;

describe('an event', () => {
  it('is a line of the file and an entry of the store that ends', async () => {
    const audit = start();
    audit.record({
      ...added('agent:a'),
      actor: 'operator/ada',
      remoteAddress: '::1',
      details: { ttl: '1h' },
    });
    await until(async () => (await stored()).length === 1 && lines().length === 1, 'the event');
    expect(lines()).toEqual(await stored());
    expect(lines()[0]).toMatchObject({
      code: 'lock.added',
      authId: 'auth-1',
      actor: 'operator/ada',
      count: 1,
    });
    const [entry] = await stores.audit.range({ prefix: '', limit: 1 }, { signal: never });
    expect(Math.abs((entry?.expiresAt ?? 0) - Date.now() - WEEK_MS)).toBeLessThan(60_000);
    expect(await metric(registry, 'audit_events_total{code="lock.added"}')).toBe(1);
  });

  it('goes to standard output when the path is -', async () => {
    const written: string[] = [];
    const stdout = new Writable({
      write(chunk, _encoding, done) {
        written.push(String(chunk));
        done();
      },
    });
    const audit = create({ output: '-', stdout });
    audit.record(added('a'));
    audit.record(added('b'));
    await audit.flush(never);
    expect(written.join('').split('\n')).toHaveLength(3);
  });

  it('that repeats is written once and counted, and the count comes with the end at the latest', async () => {
    const audit = create();
    for (let time = 0; time < 1_000; time += 1) audit.record(refused);
    audit.record(added('a'));
    audit.record(added('a'));
    await audit.flush(never);
    expect(lines().map(({ code, count }) => [code, count])).toEqual([
      ['join.refused', 1],
      ['lock.added', 1],
      ['lock.added', 1],
      ['join.refused', 999],
    ]);
    expect(await metric(registry, 'audit_events_total{code="join.refused"}')).toBe(1_000);
  });

  it('that repeats is counted at the end of its window', async () => {
    let now = Date.now();
    const audit = start({ now: () => now });
    audit.record(refused);
    audit.record(refused);
    now += 10_000;
    await until(() => lines().length === 2, 'the count');
  });
});

describe('the file', () => {
  it('is its owner’s alone, also when it was not', async () => {
    create();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    writeFileSync(path, 'before\n');
    chmodSync(path, 0o644);
    const audit = create({ registry: createRegistry('auth') });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    audit.record(added('a'));
    await audit.flush(never);
    expect(readFileSync(path, 'utf8')).toMatch(/^before\n\{"id"/);
  });

  it('that cannot be opened is a bad configuration', () => {
    expect(() => create({ output: join(folder, 'nowhere', 'audit.log') })).toThrow(/^audit\.path: /);
    expect(() => create({ output: folder, registry: createRegistry('auth') })).toThrow(
      expect.objectContaining({ name: 'ConfigError' }),
    );
  });

  it('is made anew after a rotation', async () => {
    const audit = create();
    audit.record(added('a'));
    await audit.flush(never);
    renameSync(path, `${path}.1`);
    audit.record(added('b'));
    await audit.flush(never);
    expect(lines().map(({ subjects }) => subjects)).toEqual([['b']]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('that cannot be written any more is counted and tried again; the store has the events meanwhile', async () => {
    const inner = join(folder, 'inner');
    rmSync(path, { force: true });
    writeFileSync(path, '');
    const audit = start();
    rmSync(path);
    // A folder in its place cannot be written.
    mkdirSync(path);
    audit.record(added('a'));
    await until(
      async () => (await metric(registry, 'audit_write_failures_total{to="output"}')) > 1,
      'failures',
    );
    expect((await stored()).length).toBe(1);
    renameSync(path, inner);
    await until(
      () => statSync(path, { throwIfNoEntry: false }) !== undefined && lines().length === 1,
      'the line',
    );
  });
});

describe('a store that is away', () => {
  it('gets the events later; those beyond the bound are counted, and their number follows', async () => {
    let away = true;
    const store: Store = overridden(stores.audit, {
      put: (items, options) =>
        away ? Promise.reject(new StoreUnavailableError('away')) : stores.audit.put(items, options),
    });
    const audit = start({ store, queueLength: 10 });
    for (let n = 0; n < 25; n += 1) audit.record(added(`${n}`));
    await until(
      async () => (await metric(registry, 'audit_write_failures_total{to="store"}')) > 0,
      'a failure',
    );
    const lost = await metric(registry, 'audit_lost_total{to="store"}');
    expect(lost).toBe(15);
    away = false;
    await until(async () => (await stored()).length === 11, 'the events');
    expect((await stored()).at(-1)).toMatchObject({ code: 'audit.lost', result: 'failed', count: 15 });
  });
});

describe('auditField', () => {
  it('has defaults', () => {
    expect(auditField.parse({})).toEqual({ path: '-', retention: WEEK_MS });
    expect(auditField.safeParse({ retention: '1s' }).success).toBe(false);
  });
});

import { createClient, createRouterTransport } from '@connectrpc/connect';
import type { Client } from '@connectrpc/connect';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AuditService, rpcOptions } from '@tagplane/protocol';
import { createRegistry, silentLogger } from '@tagplane/runtime';
import { createAuditLog } from '../audit/audit-log.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import { translateStoreError } from '../store-errors.ts';
import { codeOf } from '../testing/samples.ts';
import { testStores } from '../testing/test-stores.ts';
import type { TestStores } from '../testing/test-stores.ts';
import { tailAudit } from './tail-audit.ts';

const never = new AbortController().signal;
let stores: TestStores;
let audit: AuditLog;
let closing: AbortController;
let client: Client<typeof AuditService>;

beforeEach(() => {
  stores = testStores();
  closing = new AbortController();
  const log = silentLogger();
  const options = { store: stores.audit, authId: 'auth-1', output: '/dev/null', retentionMs: 60_000 };
  audit = createAuditLog({ ...options, log, registry: createRegistry('auth') });
  const transport = createRouterTransport(
    (router) => {
      router.service(AuditService, { tailAudit: tailAudit(audit, closing.signal) });
    },
    { router: rpcOptions({ log, authorise: () => undefined, translate: translateStoreError }) },
  );
  client = createClient(AuditService, transport);
});
afterEach(async () => {
  await stores[Symbol.asyncDispose]();
});

async function record(...codes: string[]): Promise<void> {
  for (const code of codes) {
    audit.record({ code, result: 'ok', actor: 'operator/ada', remoteAddress: '::1', details: { a: 'b' } });
  }
  await audit.flush(never);
}

describe('TailAudit', () => {
  it('sends the past, filtered, and ends', async () => {
    await record('lock.added', 'token.added');
    const events = [];
    for await (const answer of client.tailAudit({ since: { seconds: 60n }, codePrefix: 'lock.' })) {
      events.push(...answer.events);
    }
    expect(events).toMatchObject([
      {
        code: 'lock.added',
        authId: 'auth-1',
        actor: 'operator/ada',
        remoteAddress: '::1',
        result: 'ok',
        details: { a: 'b' },
        count: 1,
      },
    ]);
    expect(Math.abs(Number(events[0]?.time?.seconds) * 1_000 - Date.now())).toBeLessThan(60_000);
  });

  it('follows until the process stops, which says so', async () => {
    const answers = client.tailAudit({ follow: true })[Symbol.asyncIterator]();
    expect((await answers.next()).value).toMatchObject({ events: [] });
    await record('lock.added');
    expect((await answers.next()).value).toMatchObject({ events: [{ code: 'lock.added' }] });
    const next = answers.next();
    closing.abort();
    expect(await codeOf(next)).toBe('Unavailable');
  });

  it('ends with its caller', async () => {
    const stop = new AbortController();
    const answers = client.tailAudit({ follow: true }, { signal: stop.signal })[Symbol.asyncIterator]();
    await answers.next();
    const next = answers.next();
    stop.abort();
    expect(await codeOf(next)).toBe('Canceled');
  });
});

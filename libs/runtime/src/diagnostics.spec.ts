import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Gauge } from 'prom-client';
import type { ReadinessCheck } from './diagnostics.ts';
import { startDiagnostics } from './diagnostics.ts';
import { formatAddress } from './address.ts';
import { createLogger } from './log.ts';
import { createRegistry } from './metrics.ts';

const LISTEN = { host: '127.0.0.1', port: 0 };
const disposals: AsyncDisposable[] = [];

afterEach(async () => {
  for (const each of disposals.splice(0)) await each[Symbol.asyncDispose]();
});

async function start(readiness: () => readonly ReadinessCheck[] = () => []) {
  const lines: string[] = [];
  const log = createLogger('auth', 'info', { write: (line) => lines.push(line) });
  const registry = createRegistry('auth');
  const diagnostics = await startDiagnostics({ listen: LISTEN, registry, readiness, log });
  disposals.push(diagnostics);
  return { diagnostics, base: `http://${formatAddress(diagnostics.address)}`, registry, lines };
}

/** Sends bytes as they are and returns the whole answer. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, LISTEN.host);
  socket.setEncoding('utf8');
  let answer = '';
  socket.on('data', (chunk: string) => (answer += chunk));
  socket.end(text);
  await once(socket, 'close');
  return answer;
}

describe('startDiagnostics', () => {
  it('answers /healthz while the process runs, ready or not', async () => {
    const { base } = await start(() => [{ name: 'store', ready: false }]);
    const response = await fetch(`${base}/healthz`);
    expect([response.status, await response.text()]).toEqual([200, 'ok\n']);
  });

  it('answers /readyz by what holds now, with the reasons', async () => {
    let checks: ReadinessCheck[] = [];
    const { base } = await start(() => checks);
    const ask = async (): Promise<[number, unknown]> => {
      const response = await fetch(`${base}/readyz?verbose`);
      expect(response.headers.get('content-type')).toBe('application/json');
      return [response.status, await response.json()];
    };
    expect(await ask()).toEqual([200, { ready: true, checks: [] }]);
    checks = [
      { name: 'store', ready: false, reason: 'no answer within 5 s' },
      { name: 'feed', ready: true },
    ];
    expect(await ask()).toEqual([503, { ready: false, checks }]);
    checks = [{ name: 'store', ready: true }];
    expect(await ask()).toEqual([200, { ready: true, checks }]);
  });

  it('serves the metrics in the form of Prometheus', async () => {
    const { base, registry } = await start();
    new Gauge({ name: 'tagplane_agents', help: 'Agents.', registers: [registry] }).set(7);
    const response = await fetch(`${base}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(await response.text()).toMatch(
      /^# HELP tagplane_agents Agents\.\n# TYPE tagplane_agents gauge\ntagplane_agents 7$/m,
    );
  });

  it.each(['/', '/health', '/healthz/', '/metrics/x', '/toString', '//', '/%', '/?a'])(
    'has nothing at %s',
    async (path) => {
      const { diagnostics, lines } = await start();
      const request = `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`;
      expect(await raw(diagnostics.address.port, request)).toMatch(/^HTTP\/1\.1 404 /);
      expect(lines).toEqual([]);
    },
  );

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('refuses %s', async (method) => {
    const { base } = await start();
    const response = await fetch(`${base}/healthz`, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('answers HEAD without a body', async () => {
    const { base } = await start();
    const response = await fetch(`${base}/healthz`, { method: 'HEAD' });
    expect([response.status, await response.text()]).toEqual([200, '']);
  });

  it('answers 500 when a check or a metric fails, logs why, and goes on', async () => {
    let broken = true;
    const { base, registry, lines } = await start(() => {
      if (broken) throw new Error('check broke');
      return [];
    });
    expect((await fetch(`${base}/readyz`)).status).toBe(500);
    new Gauge({
      name: 'tagplane_broken',
      help: 'Broken.',
      registers: [registry],
      collect: () => {
        if (broken) throw new Error('metric broke');
      },
    });
    expect((await fetch(`${base}/metrics`)).status).toBe(500);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({
        event: 'diagnostics_failed',
        err: expect.objectContaining({ message: 'check broke' }) as unknown,
      }),
      expect.objectContaining({
        event: 'diagnostics_failed',
        err: expect.objectContaining({ message: 'metric broke' }) as unknown,
      }),
    ]);
    broken = false;
    expect((await fetch(`${base}/readyz`)).status).toBe(200);
    expect((await fetch(`${base}/metrics`)).status).toBe(200);
  });

  it('stops with connections open, idle ones and half a request alike, and may be stopped twice', async () => {
    const { diagnostics, base } = await start();
    await (await fetch(`${base}/healthz`)).text();
    const half = connect(diagnostics.address.port, LISTEN.host);
    half.on('error', () => undefined);
    half.write('GET /healthz HTTP/1.1\r\n');
    // Answered only after the half request was accepted: connections are accepted in order.
    await (await fetch(`${base}/healthz`, { headers: { connection: 'close' } })).text();
    const closed = once(half, 'close');
    await diagnostics[Symbol.asyncDispose]();
    await closed;
    await expect(fetch(`${base}/healthz`)).rejects.toThrow();
    await diagnostics[Symbol.asyncDispose]();
  });

  it('rejects when the port is taken, and warns when others can reach it', async () => {
    const { diagnostics } = await start();
    const lines: string[] = [];
    const options = {
      registry: createRegistry('auth'),
      readiness: () => [],
      log: createLogger('auth', 'info', { write: (line) => lines.push(line) }),
    };
    await expect(startDiagnostics({ ...options, listen: diagnostics.address })).rejects.toThrow(
      'cannot listen on',
    );
    expect(lines).toEqual([]);
    disposals.push(await startDiagnostics({ ...options, listen: { host: '0.0.0.0', port: 0 } }));
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({ level: 'warn', event: 'insecure_listener', listener: 'diagnostics' }),
    ]);
  });
});

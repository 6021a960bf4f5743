import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { listen, warnUnlessLoopback } from './listen.ts';
import { createLogger } from './log.ts';

const open: Server[] = [];

function server(): Server {
  const created = createServer();
  open.push(created);
  return created;
}

afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

describe('listen', () => {
  it('says which port it was given', async () => {
    const mine = server();
    const address = await listen(mine, { host: '127.0.0.1', port: 0 });
    expect(address).toEqual({ host: '127.0.0.1', port: (mine.address() as { port: number }).port });
    expect(address.port).toBeGreaterThan(0);
    expect(mine.listenerCount('error')).toBe(0);
  });

  it('names an address that is taken', async () => {
    const { port } = await listen(server(), { host: '127.0.0.1', port: 0 });
    const listening = listen(server(), { host: '127.0.0.1', port });
    await expect(listening).rejects.toMatchObject({ cause: { code: 'EADDRINUSE' } });
    await expect(listening).rejects.toThrow(`cannot listen on 127.0.0.1:${port}: `);
  });

  it("names an address that is not this machine's", async () => {
    await expect(listen(server(), { host: '192.0.2.1', port: 1 })).rejects.toThrow(
      'cannot listen on 192.0.2.1:1',
    );
  });
});

describe('warnUnlessLoopback', () => {
  it.each([
    ['127.0.0.1', 0],
    ['::1', 0],
    ['0.0.0.0', 1],
    ['::', 1],
    ['auth', 1],
  ])('for %s writes %d lines', (host, expected) => {
    const lines: string[] = [];
    const log = createLogger('auth', 'info', { write: (line) => lines.push(line) });
    warnUnlessLoopback(log, 'diagnostics', { host, port: 7421 });
    expect(lines).toHaveLength(expected);
    for (const line of lines) {
      expect(JSON.parse(line)).toMatchObject({
        level: 'warn',
        event: 'insecure_listener',
        listener: 'diagnostics',
        message: expect.stringContaining('without TLS') as unknown,
      });
    }
  });
});

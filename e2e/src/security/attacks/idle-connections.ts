import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from '@jest/globals';
import { SECOND } from '@tagplane/runtime';
import { FRAME, PREFACE, callHeaders, frame, headerBlock, headersFrame } from '../attacker/frames.ts';
import { dialTcp, dialTls, readToEnd } from '../attacker/sockets.ts';
import type { Target } from '../target/target.ts';

const HALF_OPEN = 1_000;
/** A handshake may take 10 s; the rest is for a loaded machine. */
const GIVEN_UP_WITHIN_MS = 60 * SECOND;
const STATUS = '/tagplane.v1.StatusService/GetStatus';

export function idleAttacks(target: () => Target): void {
  describe('connections that say too little', () => {
    it.each([
      ['no byte', 0],
      ['half a ClientHello', 100],
    ])(`${HALF_OPEN} TLS connections with %s are given up, and nobody else suffers`, async (_what, bytes) => {
      const hello = (await clientHello()).subarray(0, bytes);
      const dial = target().dial();
      const sockets: Socket[] = [];
      for (let at = 0; at < HALF_OPEN; at += 50) {
        const some = await Promise.all(Array.from({ length: 50 }, () => dialTcp(dial)));
        for (const socket of some) socket.resume().write(hello);
        sockets.push(...some);
      }
      // While all of them are held:
      expect(
        (await target().status({ certificate: await target().operatorCertificate() })).outcome.code,
      ).toBe('ok');
      const open = (): number => sockets.filter((socket) => !socket.closed).length;
      const end = performance.now() + GIVEN_UP_WITHIN_MS;
      while (open() > 0 && performance.now() < end) await delay(100);
      expect(open()).toBe(0);
      await target().audit.expect({
        code: 'connection.refused',
        source: dial.source,
        reason: /handshake|not identified/,
      });
    });

    it('a header block of HTTP/2 that never ends, frame after frame, is cut off', async () => {
      const dial = target().dial({ certificate: await target().operatorCertificate() });
      const socket = await dialTls(dial);
      const closed = readToEnd(socket, GIVEN_UP_WITHIN_MS);
      socket.write(PREFACE);
      socket.write(headersFrame(1, headerBlock(callHeaders(STATUS, 'application/proto')), 0));
      const more = frame({
        type: FRAME.CONTINUATION,
        stream: 1,
        payload: headerBlock({ 'x-more': 'y'.repeat(1_000) }),
      });
      for (let sent = 0; sent < 10_000 && socket.writable; sent += 1) {
        socket.write(more);
        if (sent % 100 === 0) await delay(1);
      }
      await closed;
      await target().audit.expect({ code: 'connection.refused', source: dial.source });
    });
  });
}

/** The first bytes of a TLS client, as it says them to a listener that never answers. */
async function clientHello(): Promise<Buffer> {
  const listener = createServer();
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const client = connectTls({ port, host: '127.0.0.1' }).on('error', () => undefined);
  const [socket] = (await once(listener, 'connection')) as [Socket];
  const [hello] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  listener.close();
  return hello;
}

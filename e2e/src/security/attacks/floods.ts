import { setTimeout as delay } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it } from '@jest/globals';
import { SECOND } from '@tagplane/runtime';
import {
  FLAG,
  FRAME,
  PREFACE,
  callHeaders,
  frame,
  goawayCode,
  headerBlock,
  headersFrame,
  pingFrame,
  resetFrame,
  settingsFrame,
} from '../attacker/frames.ts';
import { dialTls, readToEnd } from '../attacker/sockets.ts';
import type { Target } from '../target/target.ts';

const STATUS = '/tagplane.v1.StatusService/GetStatus';
const CUT_WITHIN_MS = 60 * SECOND;
/** In pieces that leave the other side time to object. */
const BURST = 20_000;
const PIECE = 100;

/** INTERNAL_ERROR and ENHANCE_YOUR_CALM of RFC 9113, 7: what node and its HTTP/2 library say to a flood. */
const CALM = [0x2, 0xb];

interface Flood {
  readonly what: string;
  /** The nth piece. */
  readonly bytes: (number: number) => Buffer;
}

const BLOCK = headerBlock(callHeaders(STATUS, 'application/proto'));

const FLOODS: readonly Flood[] = [
  { what: 'pings', bytes: pingFrame },
  { what: 'settings', bytes: settingsFrame },
  {
    what: 'streams that are opened and reset at once',
    bytes: (number) =>
      Buffer.concat([headersFrame(2 * number + 1, BLOCK, FLAG.END_HEADERS), resetFrame(2 * number + 1)]),
  },
  {
    what: 'streams that the service itself must reset',
    // A body that is longer than the length that was announced (RFC 9113, 8.1.1).
    bytes: (number) =>
      Buffer.concat([
        headersFrame(
          2 * number + 1,
          headerBlock({ ...callHeaders(STATUS, 'application/proto'), 'content-length': '0' }),
          FLAG.END_HEADERS,
        ),
        frame({ type: FRAME.DATA, stream: 2 * number + 1, payload: Buffer.from('x') }),
      ]),
  },
];

export function floodAttacks(target: () => Target): void {
  describe.each([
    ['with a good certificate', true],
    ['without one', false],
  ])('over one connection %s', (_who, certified) => {
    it.each(FLOODS)('a flood of $what ends the connection', async ({ bytes }) => {
      const certificate = certified ? { certificate: await target().operatorCertificate() } : {};
      const dial = target().dial(certificate);
      const socket = await dialTls(dial);
      const read = readToEnd(socket, CUT_WITHIN_MS);
      socket.write(PREFACE);
      await flood(socket, bytes);
      expect(CALM).toContain(goawayCode(await read) ?? 0x2);
      await target().audit.expect({ code: 'connection.refused', source: dial.source });
    });
  });

  it('a flood of pings whose answers nobody reads ends the connection', async () => {
    const dial = target().dial({ certificate: await target().operatorCertificate() });
    const socket = await dialTls(dial);
    socket.pause();
    socket.write(PREFACE);
    await flood(socket, pingFrame);
    await readToEnd(socket, CUT_WITHIN_MS);
    await target().audit.expect({ code: 'connection.refused', source: dial.source });
  });
}

async function flood(socket: TLSSocket, bytes: (number: number) => Buffer): Promise<void> {
  for (let at = 0; at < BURST && socket.writable; at += PIECE) {
    const pieces = Array.from({ length: PIECE }, (_, index) => bytes(at + index));
    socket.write(Buffer.concat(pieces));
    await delay(1);
  }
}

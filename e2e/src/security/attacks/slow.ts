import { setTimeout as delay } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it } from '@jest/globals';
import { MINUTE, SECOND } from '@tagplane/runtime';
import { FLAG, PREFACE, callHeaders, headerBlock, headersFrame } from '../attacker/frames.ts';
import type { Dial } from '../attacker/sockets.ts';
import { dialTls, readToEnd } from '../attacker/sockets.ts';
import type { Target } from '../target/target.ts';

const STATUS = '/tagplane.v1.StatusService/GetStatus';
/** A request may take 30 s, and a connection without an identity a minute; the rest is for a loaded machine. */
const PATIENCE_MS = 3 * MINUTE;
const BYTE_EVERY_MS = 100;

interface SlowAttack {
  readonly what: string;
  /** With a good certificate, or without one. */
  readonly certified: boolean;
  readonly protocol: 'h2' | 'http/1.1';
  readonly act: (socket: TLSSocket) => Promise<void> | void;
  /** What is read until the service closes the connection. */
  readonly answer: RegExp;
  /** Why, as the audit has it. */
  readonly reason: RegExp;
}

const HTTP1_HEAD = `POST ${STATUS} HTTP/1.1\r\nHost: tagplane\r\nContent-Type: application/json\r\n`;
const BLOCK = headerBlock(callHeaders(STATUS, 'application/proto'));

const ATTACKS: readonly SlowAttack[] = [
  {
    what: 'headers over HTTP/1.1 that come byte by byte',
    certified: true,
    protocol: 'http/1.1',
    act: (socket) => drip(socket, `${HTTP1_HEAD}X-Slow: ${'a'.repeat(10_000)}`),
    answer: /^HTTP\/1.1 408 |^$/,
    reason: /slow/,
  },
  {
    what: 'a body over HTTP/1.1 that comes byte by byte',
    certified: true,
    protocol: 'http/1.1',
    act: (socket) => drip(socket, `${HTTP1_HEAD}Content-Length: 10000\r\n\r\n${'{'.repeat(10_000)}`),
    answer: /^HTTP\/1.1 4|^$/,
    reason: /slow/,
  },
  {
    what: 'a header block of HTTP/2 that just stops',
    certified: false,
    protocol: 'h2',
    act: (socket) => {
      socket.write(PREFACE);
      socket.write(headersFrame(1, BLOCK, FLAG.END_STREAM));
    },
    answer: /^/,
    reason: /no identity/,
  },
  {
    what: 'the preface of HTTP/2, byte by byte',
    certified: false,
    protocol: 'h2',
    act: (socket) => drip(socket, PREFACE.toString('latin1').repeat(40)),
    answer: /^/,
    // The parser looks at the preface as it comes.
    reason: /no identity|Protocol error/,
  },
  {
    what: 'a handshake and nothing more',
    certified: false,
    protocol: 'h2',
    act: () => undefined,
    answer: /^/,
    reason: /no identity/,
  },
];

/** An attack under way: what came of it, by the address it came from. */
type Running = ReadonlyMap<string, Promise<{ readonly source: string; readonly answer: string }>>;

/** They take the service's patience, which is long: all at once, from the beginning of the suite. */
export async function startSlowAttacks(target: Target): Promise<Running> {
  const certificate = await target.operatorCertificate();
  return new Map(
    ATTACKS.map((attack) => {
      const { what, certified, protocol } = attack;
      const running = run(attack, target.dial({ protocol, ...(certified ? { certificate } : {}) }));
      // Looked at later.
      running.catch(() => undefined);
      return [what, running];
    }),
  );
}

export function slowAttacks(target: () => Target, running: () => Running): void {
  describe('connections that take their time', () => {
    it.each(ATTACKS)('are cut off: $what', async ({ what, answer, reason }) => {
      const outcome = await running().get(what);
      expect(outcome?.answer).toMatch(answer);
      const source = outcome?.source ?? '';
      await target().audit.expect({ code: 'connection.refused', source, reason });
    });
  });
}

async function run(attack: SlowAttack, dial: Dial): Promise<{ source: string; answer: string }> {
  const socket = await dialTls(dial);
  const read = readToEnd(socket, PATIENCE_MS);
  const acted = attack.act(socket);
  const answer = (await read).toString('latin1');
  await acted;
  return { source: dial.source, answer };
}

async function drip(socket: TLSSocket, text: string): Promise<void> {
  for (const byte of text) {
    if (!socket.writable) return;
    socket.write(byte, 'latin1');
    await delay(BYTE_EVERY_MS);
  }
  await delay(SECOND);
}

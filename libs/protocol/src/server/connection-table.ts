import { constants } from 'node:http2';
import type { Socket } from 'node:net';
import type { ConnectionLimits } from './connection-limits.ts';
import type { ConnectionEvent, RefusalReason } from './security.ts';
import type { TlsPeer } from './tls-peer.ts';

/** Frames that ask for an answer and carry nothing: a burst of 200, then 20 a second. */
const CHATTER_BURST = 200;
const CHATTER_PER_SWEEP = 20;

/** How node names what its HTTP/2 library ends a connection for; the rest are losses. */
const ABUSES: ReadonlySet<string> = new Set(['ERR_HTTP2_ERROR', 'ERR_HTTP2_TOO_MANY_INVALID_FRAMES']);

interface Unidentified {
  readonly socket: Socket;
  readonly endpoint: string;
  readonly remoteAddress: string;
  /** Milliseconds, by the clock of `begin`. */
  readonly since: number;
  /** Undefined while its handshake is under way. */
  peer: TlsPeer | undefined;
}

export interface ConnectionTableOptions {
  readonly limits: ConnectionLimits;
  readonly onEvent: (event: ConnectionEvent) => void;
}

/**
 * All TLS connections, and how long they may last. It has no timers of its own: `sweep` is to be called
 * about once a second, and looks at all of them at once.
 */
export class ConnectionTable {
  readonly #options: ConnectionTableOptions;
  readonly #connections = new Set<TlsPeer>();
  /** In the order of their beginning, by `endpointOf`. */
  readonly #unidentified = new Map<string, Unidentified>();

  readonly #perIdentity = new Map<string, number>();

  constructor(options: ConnectionTableOptions) {
    this.#options = options;
  }

  /** Those whose handshake is done. */
  get connections(): ReadonlySet<TlsPeer> {
    return this.#connections;
  }

  /** A handshake begins. `now`: milliseconds of a clock that never goes back. */
  begin(socket: Socket, now: number): void {
    const { remoteAddress = '' } = socket;
    const endpoint = endpointOf(socket);
    const entry = { socket, endpoint, remoteAddress, since: now, peer: undefined };
    this.#unidentified.set(endpoint, entry);
    socket.once('close', () => {
      this.#closed(entry);
    });
    const [oldest] = this.#unidentified.values();
    const { unidentified } = this.#options.limits;
    if (this.#unidentified.size <= unidentified || oldest === undefined) return;
    this.#end(oldest, 'unidentified_limit', `more than ${unidentified} connections are not identified`);
  }

  /**
   * Its handshake is done. `socket` is the one over TLS, which has the same endpoints.
   *
   * @returns whether it may live
   */
  established(socket: Socket, peer: TlsPeer): boolean {
    const endpoint = endpointOf(socket);
    const waiting = this.#unidentified.get(endpoint);
    if (peer.identity !== undefined) this.#unidentified.delete(endpoint);
    else if (waiting !== undefined) waiting.peer = peer;
    this.#connections.add(peer);
    const id = peer.identity?.id;
    const others = id === undefined ? 0 : this.#count(id, 1) - 1;
    socket.once('close', () => {
      this.#connections.delete(peer);
      if (id !== undefined) this.#count(id, -1);
    });
    const { perIdentity } = this.#options.limits;
    if (others < perIdentity) return true;
    this.refused(peer, 'identity_limit', `more than ${perIdentity} connections of one identity`);
    peer.cut('too many connections');
    return false;
  }

  /** Its handshake failed. */
  failed(socket: Socket, detail: string): void {
    const waiting = this.#unidentified.get(endpointOf(socket));
    // Those that were ended from here fail as well, and have been reported.
    if (waiting?.peer === undefined && waiting !== undefined) this.#end(waiting, 'handshake_failed', detail);
  }

  /** Ends what has lasted too long. `now` is that of `begin`, `time` is Unix milliseconds. */
  sweep(now: number, time: number): void {
    const { handshakeMs, unidentifiedMs } = this.#options.limits;
    for (const waiting of this.#unidentified.values()) {
      const age = now - waiting.since;
      if (age < Math.min(handshakeMs, unidentifiedMs)) break;
      if (waiting.peer === undefined) {
        this.#end(waiting, 'handshake_timeout', `no handshake within ${handshakeMs} ms`);
      } else if (age >= unidentifiedMs) {
        this.#end(waiting, 'unidentified_timeout', `no identity within ${unidentifiedMs} ms`);
      }
    }
    for (const peer of this.#connections) {
      peer.chatter = Math.max(0, peer.chatter - CHATTER_PER_SWEEP);
      if (peer.identity === undefined || time < peer.identity.validUntil) continue;
      this.refused(peer, 'certificate_expired', 'the certificate has expired and was not renewed');
      peer.cut('the certificate has expired');
    }
  }

  /** A ping, or settings. */
  chatter(peer: TlsPeer): void {
    peer.chatter += 1;
    if (peer.chatter <= CHATTER_BURST) return;
    // What is on its way still arrives, and is not reported again.
    peer.chatter = Number.NEGATIVE_INFINITY;
    this.refused(peer, 'protocol_abuse', 'too many pings or settings');
    peer.end('too many pings or settings', constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  /** HTTP/2 broke. */
  broken(peer: TlsPeer, error: Error): void {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (ABUSES.has(code)) this.refused(peer, 'protocol_abuse', error.message);
  }

  refused(peer: TlsPeer, reason: RefusalReason, detail: string): void {
    const { remoteAddress, identity } = peer;
    this.#options.onEvent({ type: 'refused', reason, remoteAddress, detail, id: identity?.id });
  }

  #count(id: string, change: 1 | -1): number {
    const count = (this.#perIdentity.get(id) ?? 0) + change;
    if (count === 0) this.#perIdentity.delete(id);
    else this.#perIdentity.set(id, count);
    return count;
  }

  #end(waiting: Unidentified, reason: RefusalReason, detail: string): void {
    const { socket, endpoint, remoteAddress, peer } = waiting;
    this.#unidentified.delete(endpoint);
    this.#options.onEvent({ type: 'refused', reason, remoteAddress, detail, id: undefined });
    if (peer === undefined) socket.destroy();
    else peer.cut(detail);
  }

  /** It is gone, by whichever side; an identified one is not here any more. */
  #closed(waiting: Unidentified): void {
    if (this.#unidentified.get(waiting.endpoint) !== waiting) return;
    if (waiting.peer === undefined) this.#end(waiting, 'handshake_failed', 'the peer went away');
    else this.#unidentified.delete(waiting.endpoint);
  }
}

/** Unique among the open connections of one port. */
function endpointOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

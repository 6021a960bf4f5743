import { isIPv4 } from 'node:net';
import { SECOND } from '@tagplane/runtime';
import type { ConnectionLimits } from './connection-limits.ts';

/** Addresses to remember: each costs about 150 bytes. The one unseen for longest is forgotten first. */
const MAX_ADDRESSES = 10_000;
const ADDRESS_BURST = 10;

/** Decides which connections may begin a handshake. `now` is in milliseconds and never goes back. */
export class HandshakeGate {
  readonly #limits: ConnectionLimits;
  readonly #all: TokenBucket;
  readonly #addresses = new Map<string, TokenBucket>();

  constructor(limits: ConnectionLimits, now: number) {
    this.#limits = limits;
    this.#all = new TokenBucket(limits.handshakesPerSecond, limits.handshakesPerSecond, now);
  }

  /** Undefined: it may. An address that has had its share takes nothing from that of the others. */
  refusal(remoteAddress: string, now: number): 'address_rate' | 'handshake_rate' | undefined {
    if (!this.#bucketOf(addressGroup(remoteAddress), now).take(now)) return 'address_rate';
    return this.#all.take(now) ? undefined : 'handshake_rate';
  }

  #bucketOf(group: string, now: number): TokenBucket {
    const rate = this.#limits.handshakesPerAddress;
    const bucket = this.#addresses.get(group) ?? new TokenBucket(rate, rate * ADDRESS_BURST, now);
    // Deleted first, so that the map's order is that of the last visit.
    this.#addresses.delete(group);
    this.#addresses.set(group, bucket);
    const [oldest] = this.#addresses.keys();
    if (this.#addresses.size > MAX_ADDRESSES && oldest !== undefined) this.#addresses.delete(oldest);
    return bucket;
  }
}

class TokenBucket {
  readonly #rate: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  constructor(rate: number, burst: number, now: number) {
    this.#rate = rate;
    this.#burst = burst;
    this.#tokens = burst;
    this.#at = now;
  }

  take(now: number): boolean {
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) / SECOND) * this.#rate);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

const MAPPED = '::ffff:';

/** What counts as one address: an IPv4 address, or the /64 that one IPv6 subscriber has to itself. */
export function addressGroup(address: string): string {
  if (address.startsWith(MAPPED) && isIPv4(address.slice(MAPPED.length))) return address.slice(MAPPED.length);
  if (isIPv4(address)) return address;
  const [front = '', back] = address.split('::');
  const first = front === '' ? [] : front.split(':');
  const last = back === undefined || back === '' ? [] : back.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => '0');
  return [...first, ...zeros, ...last].slice(0, 4).join(':');
}

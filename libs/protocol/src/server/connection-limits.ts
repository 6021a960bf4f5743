import { MINUTE, SECOND } from '@tagplane/runtime';

/** Bounds for TLS connections. */
export interface ConnectionLimits {
  /** Handshakes a second, all together, with a burst of as many. */
  readonly handshakesPerSecond: number;
  /** Handshakes a second from one address (IPv6: one /64), with a burst of ten times as many. */
  readonly handshakesPerAddress: number;
  /**
   * Connections at once that have not proven who they are, handshakes under way included. When there is
   * one more, the oldest of them is cut: who is at work is done long before it is the oldest.
   */
  readonly unidentified: number;
  /** How long one may stay so, in milliseconds from its beginning. */
  readonly unidentifiedMs: number;
  /** How long a handshake may take, in milliseconds. */
  readonly handshakeMs: number;
  /** Connections at once of one identity; one more is cut. */
  readonly perIdentity: number;
}

export const DEFAULT_CONNECTION_LIMITS: ConnectionLimits = {
  // 10,000 agents that all come back at once are admitted in 9 s (1,000 from the burst). A full handshake
  // costs 1.5 ms of CPU, so that they are done within 15 s; resumed ones cost less than half.
  handshakesPerSecond: 1_000,
  // A fifth of all, so that no address keeps out the others. A fleet of 10,000 behind one NAT is admitted
  // in 40 s: 2,000 at once, 8,000 / 200; agents try for as long as that, at most 90 s apart. Behind a
  // balancer that hides addresses this has to be as high as handshakesPerSecond.
  handshakesPerAddress: 200,
  // 10,000 admitted in 9 s, of which 650 a second are done, leave 4,150 under way at most. At about 50 KiB
  // each that is 200 MB. To push out an honest handshake in its first 4 s, an attacker would need 1,000 a
  // second, which is all there are.
  unidentified: 4_096,
  // Joining includes a call of AWS STS (10 s at most) and a retry; health watches come again.
  unidentifiedMs: MINUTE,
  // Three round trips and, in the rush of 10,000, a wait of 4,150 / 650 = 6.4 s.
  handshakeMs: 10 * SECOND,
  // An agent has one, and a few that it has lost and that are not found out yet; 256 leaves room for an
  // operator's scripts. Whoever stole one key cannot take all connections there are (15,000).
  perIdentity: 256,
};

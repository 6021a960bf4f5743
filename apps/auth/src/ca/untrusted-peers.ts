import type { PeerConnection } from '@tagplane/protocol';
import { SECOND, sleep } from '@tagplane/runtime';
import type { Gate } from '../control/wakeup.ts';
import { createGate } from '../control/wakeup.ts';

/**
 * How long who is connected may take to renew after its authority was dropped: agents are told at once and
 * answer within a second or two.
 */
const GRACE_MS = 30 * SECOND;

/** Ends the connections whose certificate one of these authorities made. Returns how many. */
export function cutPeersOf(pins: ReadonlySet<string>, connections: Iterable<PeerConnection>): number {
  // All are looked at before any is cut: that may change what is gone through.
  const distrusted = [...connections].filter(
    ({ identity }) => identity !== undefined && pins.has(identity.issuer),
  );
  for (const connection of distrusted) {
    connection.cut('the authority of the certificate is trusted no more');
  }
  return distrusted.length;
}

/** Cuts the peers of dropped authorities, after a time of grace. */
export class UntrustedPeers {
  /** At most one for each step of a rotation within the grace. */
  readonly #dropped: { readonly pins: ReadonlySet<string>; readonly due: number }[] = [];
  readonly #gate: Gate = createGate();

  dropped(pins: ReadonlySet<string>): void {
    this.#dropped.push({ pins, due: performance.now() + GRACE_MS });
    this.#gate.open();
  }

  /**
   * Runs until the signal aborts.
   *
   * @param options.trusts whether an authority is trusted, perhaps again
   */
  async run(
    options: {
      readonly connections: () => Iterable<PeerConnection>;
      readonly trusts: (pin: string) => boolean;
      readonly onCut: (connections: number) => void;
    },
    signal: AbortSignal,
  ): Promise<void> {
    for (;;) {
      await this.#gate.passed(signal);
      for (let next = this.#dropped.shift(); next !== undefined; next = this.#dropped.shift()) {
        await sleep(next.due - performance.now(), signal);
        const pins = new Set([...next.pins].filter((pin) => !options.trusts(pin)));
        const cut = cutPeersOf(pins, options.connections());
        if (cut > 0) options.onCut(cut);
      }
    }
  }
}

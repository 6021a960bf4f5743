import type { Transport } from '@connectrpc/connect';
import { Code, ConnectError } from '@connectrpc/connect';
import type { CredentialKeeper } from '@tagplane/credentials';
import { fetchTrust } from '@tagplane/protocol';
import type { Logger } from '@tagplane/runtime';
import { SECOND, jittered, sleep } from '@tagplane/runtime';

/** A rotation of authorities goes on when everybody has followed: in less than a minute. */
const POLL_MS = 30 * SECOND;
const JITTER = 0.2;

export interface TrustLoopParts {
  readonly transport: Transport;
  readonly keeper: Pick<CredentialKeeper, 'adoptTrust' | 'connected' | 'current' | 'refused' | 'renewWithin'>;
  readonly log: Logger;
}

/** Follows the authorities that are to be trusted, and says which ones are. */
export async function runTrustLoop(parts: TrustLoopParts, signal: AbortSignal): Promise<void> {
  for (;;) {
    const changed = await pollTrust(parts, signal);
    // What is trusted now is said at once: the rotation may be waiting for it.
    if (!changed) await sleep(jittered(POLL_MS, JITTER), signal);
  }
}

/** @returns whether other authorities are trusted than before */
async function pollTrust({ transport, keeper, log }: TrustLoopParts, signal: AbortSignal): Promise<boolean> {
  const held = keeper.current().trust;
  try {
    const { trust, renew } = await fetchTrust(transport, held, { signal });
    keeper.connected();
    if (renew) keeper.renewWithin(POLL_MS);
    if (trust.generation <= held.generation) return false;
    await keeper.adoptTrust(trust);
    log.info({ event: 'trust_changed', generation: trust.generation, authorities: trust.authorities.length });
    return true;
  } catch (error) {
    signal.throwIfAborted();
    const { code, rawMessage } = ConnectError.from(error);
    if (code === Code.Unauthenticated) keeper.refused();
    // A lasting outage shows in the batches; this one alone is not worth a line at info.
    log.debug({ event: 'trust_not_fetched', code: Code[code], reason: rawMessage });
    return false;
  }
}

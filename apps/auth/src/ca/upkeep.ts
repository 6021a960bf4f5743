import type { Logger } from '@tagplane/runtime';
import { MINUTE, SECOND, sleep } from '@tagplane/runtime';
import type { HeldAuthority } from './held-authority.ts';
import { untilNextDay } from './own-certificate.ts';

/** A clock that was set is noticed within this. */
const MAX_NAP_MS = MINUTE;
/** A clock that stands still must not make a tight loop. */
const MIN_NAP_MS = SECOND / 10;

/** Renews the process's own certificate and its ticket keys. Runs until the signal aborts. */
export async function keepUp(
  held: Pick<HeldAuthority, 'renewAt' | 'validUntil' | 'renew' | 'notify'>,
  { log, now }: { readonly log: Logger; readonly now: () => number },
  signal: AbortSignal,
): Promise<void> {
  let dayEnds = now() + untilNextDay(now());
  for (;;) {
    const due = Math.min(held.renewAt, dayEnds) - now();
    await sleep(Math.min(MAX_NAP_MS, Math.max(MIN_NAP_MS, due)), signal);
    if (now() >= dayEnds) {
      dayEnds = now() + untilNextDay(now());
      held.notify();
    }
    if (now() < held.renewAt) continue;
    try {
      await held.renew();
    } catch (error) {
      log.error({ event: 'own_certificate_not_renewed', err: error });
      // A quarter of what is left: several tries, however short its life is.
      const left = (held.validUntil - now()) / 4;
      await sleep(Math.min(MAX_NAP_MS, Math.max(SECOND, left)), signal);
    }
  }
}

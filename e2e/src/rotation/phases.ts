import { CaPhase } from '@tagplane/protocol';
import { SECOND, sleep } from '@tagplane/runtime';
import { now } from './fleet/messages.ts';
import type { Plane } from './plane.ts';

const EVERY_MS = SECOND / 5;

/** How long each phase of a rotation took, in milliseconds. */
export interface PhaseDurations {
  readonly trustingMs: number;
  readonly signingMs: number;
}

/** Looks at how far the rotation is, until it is stopped. */
export function watchPhases({ operator }: Pick<Plane, 'operator'>): { stop(): Promise<PhaseDurations> } {
  const stop = new AbortController();
  const began = new Map<CaPhase, number>();
  let stableAgain = Number.NaN;
  const watch = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const { phase } = await operator.ca.getCaStatus({});
      if (phase !== CaPhase.STABLE && !began.has(phase)) began.set(phase, now());
      if (phase === CaPhase.STABLE && began.has(CaPhase.SIGNING)) {
        stableAgain = now();
        return;
      }
      await sleep(EVERY_MS, stop.signal).catch(() => undefined);
    }
  };
  const watching = watch();
  watching.catch(() => undefined);
  return {
    async stop() {
      // The last step is seen within one look.
      await Promise.race([watching, sleep(10 * SECOND, stop.signal)]);
      stop.abort();
      await watching;
      const trusting = began.get(CaPhase.TRUSTING) ?? Number.NaN;
      const signing = began.get(CaPhase.SIGNING) ?? Number.NaN;
      return {
        trustingMs: Math.round(signing - trusting),
        signingMs: Math.round(stableAgain - signing),
      };
    },
  };
}

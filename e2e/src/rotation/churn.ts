import { SECOND, sleep } from '@tagplane/runtime';
import type { ChangeBook } from './change-book.ts';
import { now } from './fleet/messages.ts';
import type { Plane } from './plane.ts';

const EVERY_MS = SECOND / 10;

/** Changes under way. */
export interface Churn {
  /** Begins no more; rejects when a change was not taken. */
  stop(): Promise<void>;
}

/** Gives one agent after the other a new label, ten a second. */
export function startChurn(plane: Pick<Plane, 'writer' | 'fleet'>, book: ChangeBook): Churn {
  const { writer, fleet } = plane;
  const stop = new AbortController();
  const run = async (): Promise<void> => {
    let due = now();
    for (let turn = 1; !stop.signal.aborted; turn += 1) {
      const agent = fleet.agents[turn % fleet.agents.length];
      if (agent === undefined) throw new RangeError('there are no agents');
      book.wrote(agent.index, turn, now());
      await writer.write([{ instance: agent.plan.instance, turn }]);
      due += EVERY_MS;
      await sleep(Math.max(0, due - now()), stop.signal).catch(() => undefined);
    }
  };
  const running = run();
  // Whoever stops it hears of it.
  running.catch(() => undefined);
  return {
    async stop() {
      stop.abort();
      await running;
    },
  };
}

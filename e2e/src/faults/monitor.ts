import { setTimeout as delay } from 'node:timers/promises';
import type { Agent } from '../world/agent.ts';
import type { History } from './history.ts';
import { canonical } from './history.ts';

/** How often each agent is asked what it holds. */
const EVERY_MS = 40;

export interface Sighting {
  readonly agent: string;
  readonly held: string;
}

export interface Watching {
  /** What agents held that EC2 had never given their instance. */
  readonly wrong: readonly Sighting[];
  /** How often an agent answered. */
  answers(): number;
  done(): Promise<void>;
}

/** Asks every agent, over and over, whether it holds only what EC2 has once given its instance. */
export function watchAgents(agents: readonly Agent[], history: History): Watching {
  const wrong: Sighting[] = [];
  let answers = 0;
  let stopped = false;
  const watch = async (agent: Agent): Promise<void> => {
    while (!stopped) {
      // An agent that was just killed does not answer; it is asked again.
      const tags = await agent.tags().catch(() => undefined);
      if (tags !== undefined) {
        answers += 1;
        if (!history.had(agent.place.instance, tags)) {
          wrong.push({ agent: agent.service.name, held: canonical(tags) });
        }
      }
      await delay(EVERY_MS);
    }
  };
  const watches = Promise.all(agents.map(watch));
  return {
    wrong,
    answers: () => answers,
    async done() {
      stopped = true;
      await watches;
    },
  };
}

import { setTimeout as delay } from 'node:timers/promises';
import type { RunningSimulator } from '@tagplane/ec2-simulator';
import type { AgentPlace } from '../world/agent.ts';
import type { History } from './history.ts';

const EVERY_MS = 150;

/** Gives one instance after another new tags until stopped; resolves to the number of changes. */
export function churnTags(options: {
  readonly ec2: RunningSimulator;
  readonly places: readonly AgentPlace[];
  readonly history: History;
  readonly random: () => number;
}): { stop(): Promise<number> } {
  const { ec2, places, history, random } = options;
  let changes = 0;
  const stopped = new AbortController();
  const churning = (async () => {
    while (!stopped.signal.aborted) {
      const place = places[Math.floor(random() * places.length)];
      if (place !== undefined) {
        changes += 1;
        const tags = new Map([
          ['owner', place.instance],
          ['change', String(changes)],
          ...(random() < 0.5 ? ([['sometimes', `☃ ${changes}`]] as const) : []),
        ]);
        history.record(place.instance, tags);
        ec2.fleet.replaceTags({ region: place.region, id: place.instance }, tags);
      }
      await delay(EVERY_MS);
    }
  })();
  return {
    async stop() {
      stopped.abort();
      await churning;
      return changes;
    },
  };
}

import { silentLogger } from '@tagplane/runtime';
import type { Address } from '@tagplane/runtime';
import type { AgentView } from '../agent-view.ts';
import { runAgent } from '../compose.ts';
import type { RunOptions } from '../compose.ts';
import type { AgentSettings } from '../config.ts';
import { Queue } from './queue.ts';

const QUICK = { firstMs: 20, longestMs: 40 };

export interface RunningAgent extends AsyncDisposable {
  readonly view: () => AgentView;
  /** Reasons for which streams ended. */
  readonly ends: Queue<string>;
}

/**
 * One agent in this process, without TLS unless told otherwise; stopped by its disposal.
 *
 * @throws what `runAgent` throws before it has started
 */
export async function startAgent(
  addresses: readonly [Address, ...Address[]],
  settings: Partial<AgentSettings> = {},
  options: Partial<RunOptions> = {},
): Promise<RunningAgent> {
  const stop = new AbortController();
  const ends = new Queue<string>();
  const started = Promise.withResolvers<() => AgentView>();
  const running = runAgent(
    { addresses, security: { mode: 'insecure' }, reconnect: QUICK, ...settings },
    {
      signal: stop.signal,
      log: silentLogger(),
      observer: {
        disconnected: (reason) => {
          ends.put(reason);
        },
      },
      onStart: ({ view }) => {
        started.resolve(view);
      },
      ...options,
    },
  );
  running.catch(started.reject);
  const view = await started.promise;
  return {
    view,
    ends,
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the test is over'));
      await running;
    },
  };
}

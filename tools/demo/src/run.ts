import { AGENTS } from './agents.ts';
import { runDemo } from './demo.ts';
import type { DemoResult } from './demo.ts';
import type { DemoOptions } from './options.ts';
import type { Screen } from './screen.ts';
import { createScreen } from './screen.ts';
import type { Stack } from './stack.ts';
import { INSTANCES, PREFERRED_AUTH_PORT, startStack } from './stack.ts';
import { tryNext } from './try-next.ts';

/**
 * The demo from its start to its end, or until the signal aborts.
 *
 * @returns the exit code
 * @throws Error that says which part failed and why
 */
export async function demonstrate(options: DemoOptions, stop: AbortSignal): Promise<number> {
  // JSON has standard output to itself.
  const screen = createScreen(options.format === 'json' ? process.stderr : process.stdout);
  let result: DemoResult | undefined;
  try {
    result = await show(options, screen, stop);
  } catch (error) {
    if (!stop.aborted) throw error;
  }
  if (result === undefined) {
    screen.say('\nStopped before the end.');
    return options.once ? 1 : 0;
  }
  if (options.format === 'json') process.stdout.write(`${JSON.stringify(result)}\n`);
  return 0;
}

async function show(options: DemoOptions, screen: Screen, stop: AbortSignal): Promise<DemoResult> {
  screen.say(
    `Starting a simulated EC2 (${INSTANCES} instances), auth, discovery and ${AGENTS} agents, with mutual TLS.`,
  );
  await using stack = await startStack(stop);
  screen.say(whereItRuns(stack));
  using running = abortable(stop);
  const result = await Promise.race([runDemo(stack, screen, running.signal), stack.broken]);
  if (!options.once) {
    screen.say(tryNext(stack));
    await Promise.race([stopped(stop), stack.broken]);
    screen.say('\nStopping.');
  }
  return result;
}

/** A signal that also aborts when it goes out of scope: what it was given to ends then. */
function abortable(outer: AbortSignal): Disposable & { readonly signal: AbortSignal } {
  const inner = new AbortController();
  return {
    signal: AbortSignal.any([outer, inner.signal]),
    [Symbol.dispose]() {
      inner.abort();
    },
  };
}

function whereItRuns({ ec2, authPort }: Stack): string {
  const taken = authPort === PREFERRED_AUTH_PORT ? '' : ` (${PREFERRED_AUTH_PORT} is taken)`;
  return [
    `EC2 is at ${ec2.url}, auth at 127.0.0.1:${authPort}${taken}.`,
    `Discovery sends five ServerInfos a second, so ${INSTANCES} take ${INSTANCES / 5} s.\n`,
  ].join('\n');
}

function stopped(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) resolve();
    else {
      stop.addEventListener('abort', () => {
        resolve();
      });
    }
  });
}

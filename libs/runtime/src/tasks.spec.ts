import { describe, expect, it } from '@jest/globals';
import { getEventListeners, once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { TaskError, isAbort, runTasks } from './tasks.ts';

/** Ends, with the signal's reason, when the signal aborts. */
async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
  throw signal.reason as Error;
}

/** The error that the promise rejects with. */
async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

describe('runTasks', () => {
  it('ends when all tasks have ended; one that returns leaves the others running', async () => {
    const ended: string[] = [];
    const slow = Promise.withResolvers<undefined>();
    const group = runTasks(new AbortController().signal, {
      quick: () => {
        ended.push('quick');
        return Promise.resolve();
      },
      slow: async (signal) => {
        await slow.promise;
        expect(signal.aborted).toBe(false);
        ended.push('slow');
      },
    }).then(() => ended.push('group'));
    await turn();
    expect(ended).toEqual(['quick']);
    slow.resolve(undefined);
    await group;
    expect(ended).toEqual(['quick', 'slow', 'group']);
  });

  it('aborts the others at the first failure, awaits them all, and throws that failure', async () => {
    const cause = new Error('no route');
    const cleaned = Promise.withResolvers<undefined>();
    const ended: string[] = [];
    const group = failureOf(
      runTasks(new AbortController().signal, {
        reconciler: async (signal) => {
          await turn();
          expect(signal.aborted).toBe(false);
          throw cause;
        },
        sweep: untilAborted,
        feed: async (signal) => {
          await once(signal, 'abort');
          await cleaned.promise;
          ended.push('feed');
          throw new Error('second, while it stopped');
        },
      }),
    ).finally(() => ended.push('group'));
    for (let turns = 0; turns < 5; turns += 1) await turn();
    expect(ended).toEqual([]);
    cleaned.resolve(undefined);
    const failure = await group;
    expect(ended).toEqual(['feed', 'group']);
    expect(failure).toBeInstanceOf(TaskError);
    expect(failure).toMatchObject({ message: 'reconciler: no route', cause });
  });

  it('gives the others that failure as the reason of their abort', async () => {
    let reason: unknown;
    const failure = await failureOf(
      runTasks(new AbortController().signal, {
        watcher: async (signal) => {
          await once(signal, 'abort');
          reason = signal.reason;
        },
        broken: () => Promise.reject(new Error('broken')),
      }),
    );
    expect(reason).toBe(failure);
  });

  it('takes a task that throws before its first wait for a failure', async () => {
    const thrower = (): Promise<void> => {
      throw new Error('at once');
    };
    const failure = await failureOf(runTasks(new AbortController().signal, { thrower, other: untilAborted }));
    expect(failure).toMatchObject({ message: 'thrower: at once' });
  });

  it('takes an abort from outside for the end of the work', async () => {
    const stop = new AbortController();
    const group = runTasks(stop.signal, { a: untilAborted, b: untilAborted });
    stop.abort(new Error('stopped by SIGTERM'));
    await expect(group).resolves.toBeUndefined();
  });

  it('starts tasks with a signal that has aborted already, so that they can clean up', async () => {
    const seen: boolean[] = [];
    const look = (signal: AbortSignal): Promise<void> => {
      seen.push(signal.aborted);
      return Promise.resolve();
    };
    await runTasks(AbortSignal.abort(), { look });
    expect(seen).toEqual([true]);
  });

  it('throws what goes wrong while stopping', async () => {
    const stop = new AbortController();
    const group = runTasks(stop.signal, {
      drain: async (signal) => {
        await once(signal, 'abort');
        throw new Error('not drained');
      },
    });
    stop.abort();
    expect(await failureOf(group)).toMatchObject({ message: 'drain: not drained' });
  });

  it.each(['end', 'failure'])('leaves no listener on the outer signal after its %s', async (how) => {
    const { signal } = new AbortController();
    const end = (): Promise<void> => (how === 'end' ? Promise.resolve() : Promise.reject(new Error('x')));
    await Promise.allSettled(Array.from({ length: 50 }, () => runTasks(signal, { end })));
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});

describe('isAbort', () => {
  const reason = new Error('stop');
  const aborted = AbortSignal.abort(reason);
  const circle = new Error('circle');
  circle.cause = circle;

  it.each<[string, unknown, boolean]>([
    ['the reason itself', reason, true],
    ['an error caused by the reason', new Error('range failed', { cause: reason }), true],
    [
      'an error caused by an error caused by it',
      new Error('a', { cause: new Error('b', { cause: reason }) }),
      true,
    ],
    ["Node's own AbortError", AbortSignal.abort().reason, true],
    ['another error', new Error('stop'), false],
    ['an error caused by another', new Error('a', { cause: new Error('stop') }), false],
    ['an error that causes itself', circle, false],
    ['undefined', undefined, false],
    ['text', 'AbortError', false],
  ])('of %s', (_, error, expected) => {
    expect(isAbort(error, aborted)).toBe(expected);
  });

  it('is false of everything while the signal has not aborted', () => {
    const { signal } = new AbortController();
    expect(isAbort(AbortSignal.abort().reason, signal)).toBe(false);
    expect(isAbort(undefined, signal)).toBe(false);
  });

  it('knows a reason that is no error', () => {
    expect(isAbort('stop', AbortSignal.abort('stop'))).toBe(true);
  });
});

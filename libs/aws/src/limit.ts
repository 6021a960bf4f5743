/** Lets so many through at once; the others wait in their order. */
export interface Limit {
  /** Rejects with the signal's reason when that aborts first. */
  acquire(signal: AbortSignal): Promise<Disposable>;
}

export function createLimit(atOnce: number): Limit {
  let free = atOnce;
  const waiting: (() => void)[] = [];
  const release = (): void => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  const turn = (): Disposable => {
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (held) release();
        held = false;
      },
    };
  };
  return {
    acquire: async (signal) => {
      signal.throwIfAborted();
      if (free > 0) {
        free -= 1;
        return turn();
      }
      return await new Promise<Disposable>((resolve, reject) => {
        const begin = (): void => {
          signal.removeEventListener('abort', onAbort);
          resolve(turn());
        };
        const onAbort = (): void => {
          waiting.splice(waiting.indexOf(begin), 1);
          reject(signal.reason as Error);
        };
        waiting.push(begin);
        signal.addEventListener('abort', onAbort, { once: true });
      });
    },
  };
}

/** Lets one loop sleep until there is something to do. Opening an open gate changes nothing. */
export interface Gate {
  open(): void;
  /** Resolves when the gate is open, and closes it. Rejects with the signal's reason. One waiter at a time. */
  passed(signal: AbortSignal): Promise<void>;
}

export function createGate(): Gate {
  let opened = false;
  let release: (() => void) | undefined;
  return {
    open() {
      opened = true;
      release?.();
    },
    async passed(signal) {
      signal.throwIfAborted();
      if (!opened) await waitFor(signal, (resolve) => (release = resolve));
      release = undefined;
      opened = false;
    },
  };
}

function waitFor(signal: AbortSignal, provide: (resolve: () => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    provide(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
  });
}

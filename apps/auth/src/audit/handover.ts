/** Hands values from one loop to another, one at a time. One side puts, one side takes. */
export interface Handover<Value> {
  /** Resolves when the value was taken. Rejects with the signal's reason. */
  put(value: Value, signal: AbortSignal): Promise<void>;
  /** The next value; `nothing` after `idleMs` without one; `ended` when there will be none. */
  take(idleMs: number): Promise<Value | 'nothing' | 'ended'>;
  /** Nothing more will be put. */
  end(): void;
}

export function createHandover<Value>(): Handover<Value> {
  let held: { readonly value: Value; readonly taken: () => void } | undefined;
  let ended = false;
  let arrived: (() => void) | undefined;
  const takeHeld = (): Value | 'nothing' | 'ended' => {
    if (held === undefined) return ended ? 'ended' : 'nothing';
    const { value, taken } = held;
    held = undefined;
    taken();
    return value;
  };
  return {
    put(value, signal) {
      return new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const onAbort = (): void => {
          held = undefined;
          reject(signal.reason as Error);
        };
        signal.addEventListener('abort', onAbort, { once: true });
        const taken = (): void => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        };
        held = { value, taken };
        arrived?.();
      });
    },
    async take(idleMs) {
      if (held === undefined && !ended) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, idleMs);
          arrived = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        arrived = undefined;
      }
      return takeHeld();
    },
    end() {
      ended = true;
      arrived?.();
    },
  };
}

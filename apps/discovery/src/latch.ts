/** Lets one loop wait for word from another, without polling. */
export class Latch {
  #open: (() => void) | undefined;

  /** Ends the wait, if there is one. */
  open(): void {
    this.#open?.();
  }

  /** Resolves when opened; rejects with the signal's reason when it aborts. One waiter at a time. */
  wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const onAbort = (): void => {
        this.#open = undefined;
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#open = () => {
        this.#open = undefined;
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
    });
  }
}

import { sleep } from '@tagplane/runtime';

/** A sleep that can be cut short. One sleeper at a time. */
export class Nap {
  #wake: (() => void) | undefined;

  /** Wakes the sleeper, if there is one. */
  wake(): void {
    this.#wake?.();
  }

  /** Resolves after `ms` milliseconds, or when woken. @throws the signal's reason when it aborts */
  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    const nap = new AbortController();
    const end = (): void => {
      nap.abort();
    };
    signal.addEventListener('abort', end, { once: true });
    this.#wake = end;
    try {
      await sleep(ms, nap.signal);
    } catch {
      // Woken, or told to stop: see below.
    } finally {
      this.#wake = undefined;
      signal.removeEventListener('abort', end);
    }
    signal.throwIfAborted();
  }
}

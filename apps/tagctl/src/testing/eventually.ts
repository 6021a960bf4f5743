import { setTimeout as wait } from 'node:timers/promises';

/** Waits until the condition holds. @throws Error with `what` after 15 s */
export async function eventually(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + 15_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`not within 15 s: ${what}`);
    await wait(10);
  }
}

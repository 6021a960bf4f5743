import { HOUR, SECOND } from '@tagplane/runtime';
import type { StoreOptions } from './store.ts';

const DEFAULTS: Required<StoreOptions> = {
  feedLength: 200_000,
  goneRetentionMs: 24 * HOUR,
  expiryIntervalMs: SECOND,
  commandTimeoutMs: 5 * SECOND,
};

/** Fills in the defaults. Throws a RangeError unless every option is a whole number greater than zero. */
export function resolveStoreOptions(options: StoreOptions): Required<StoreOptions> {
  const resolved = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS) as (keyof StoreOptions)[]) {
    const value = options[name] ?? DEFAULTS[name];
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`${name} must be a whole number greater than zero, not ${value}`);
    }
    resolved[name] = value;
  }
  return resolved;
}

import { performance } from 'node:perf_hooks';
import type { Store } from '@tagplane/store';
import type { AuthMetrics } from '../metrics.ts';

/** A store whose operations are timed and whose failures are counted; aborted calls are neither. */
export function measuredStore(store: Store, kind: string, metrics: AuthMetrics): Store {
  const measured = async <Result>(
    operation: string,
    signal: AbortSignal,
    result: Promise<Result>,
  ): Promise<Result> => {
    const started = performance.now();
    try {
      return await result;
    } catch (error) {
      if (!signal.aborted) metrics.storeFailures.inc({ kind, operation });
      throw error;
    } finally {
      const seconds = (performance.now() - started) / 1_000;
      if (!signal.aborted) metrics.storeSeconds.observe({ kind, operation }, seconds);
    }
  };
  return {
    type: store.type,
    put: (items, options) => measured('put', options.signal, store.put(items, options)),
    getMany: (keys, options) => measured('get_many', options.signal, store.getMany(keys, options)),
    range: (range, options) => measured('range', options.signal, store.range(range, options)),
    count: (prefix, options) => measured('count', options.signal, store.count(prefix, options)),
    delete: (items, options) => measured('delete', options.signal, store.delete(items, options)),
    epoch: (options) => measured('epoch', options.signal, store.epoch(options)),
    ping: (options) => measured('ping', options.signal, store.ping(options)),
    // A watch lasts for as long as the process: there is nothing to time.
    watch: (options) => store.watch(options),
  };
}

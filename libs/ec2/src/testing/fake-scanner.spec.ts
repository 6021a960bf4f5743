import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ScanError } from '../scan-error.ts';
import type { DiscoveredPage, Ec2Scanner } from '../discovered.ts';
import { fakeInstance, fakeScanner } from './fake-scanner.ts';

async function pagesOf(scanner: Ec2Scanner, signal: AbortSignal): Promise<DiscoveredPage[]> {
  const pages: DiscoveredPage[] = [];
  for await (const page of scanner.scan({ signal })) pages.push(page);
  return pages;
}

describe('fakeScanner', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('plays each scan of the script, in virtual time', async () => {
    const scanner = fakeScanner((scan) => [
      { afterMs: 60_000, instances: [fakeInstance(scan)] },
      { afterMs: 60_000, instances: [], rejected: [{ instance: 'i-x', reason: 'why' }] },
    ]);
    for (const scan of [0, 1]) {
      const pages = pagesOf(scanner, new AbortController().signal);
      await jest.advanceTimersByTimeAsync(120_000);
      expect(await pages).toEqual([
        { instances: [fakeInstance(scan)], rejected: [], requests: 1 },
        { instances: [], rejected: [{ instance: 'i-x', reason: 'why' }], requests: 1 },
      ]);
    }
    expect(scanner.scans).toBe(2);
  });

  it('fails as scripted', async () => {
    const scanner = fakeScanner(() => [{ instances: [] }, { fail: 'throttled' }]);
    const error: unknown = await pagesOf(scanner, new AbortController().signal).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ScanError);
    expect(error).toMatchObject({ kind: 'throttled', region: 'eu-central-1', requests: 2 });
  });

  it('ends a pause when the signal aborts', async () => {
    const stop = new AbortController();
    const pages = pagesOf(
      fakeScanner(() => [{ afterMs: 60_000, instances: [] }]),
      stop.signal,
    ).catch((e: unknown) => e);
    stop.abort();
    expect(await pages).toMatchObject({ kind: 'aborted' });
    expect(jest.getTimerCount()).toBe(0);
  });

  it('shows the filters it was given and whether it was disposed', () => {
    const scanner = fakeScanner(() => []);
    scanner.scan({ signal: new AbortController().signal, filters: { tags: { team: ['a'] } } });
    scanner[Symbol.dispose]();
    expect(scanner.filters).toEqual({ tags: { team: ['a'] } });
    expect(scanner.disposed).toBe(true);
  });

  it('refuses an impossible instance', () => {
    expect(() => fakeInstance(1, { account: 'x' })).toThrow(RangeError);
  });
});

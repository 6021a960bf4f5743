import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Admission } from './admission.ts';
import type { Admittable } from './admission.ts';

class Hello implements Admittable {
  phase = 'admitting';
  at: number | undefined;
  admitted(): void {
    this.at = Date.now();
  }
}

beforeEach(() => {
  jest.useFakeTimers({ now: 0 });
});
afterEach(() => {
  jest.useRealTimers();
});

function hellos(count: number): Hello[] {
  return Array.from({ length: count }, () => new Hello());
}

async function during(ms: number, admission: Admission): Promise<void> {
  const stop = new AbortController();
  const running = admission.run(stop.signal);
  await jest.advanceTimersByTimeAsync(ms);
  stop.abort(new Error('enough'));
  await expect(running).rejects.toThrow('enough');
}

describe('Admission', () => {
  it('lets 500 in at once and 500 a second after that, in order', async () => {
    const admission = new Admission({ now: () => Date.now() });
    const all = hellos(3_000);
    for (const hello of all) expect(admission.request(hello)).toBe(true);
    expect(all.filter((hello) => hello.at !== undefined).length).toBe(500);
    await during(1_000, admission);
    expect(all.filter((hello) => hello.at !== undefined).length).toBe(1_000);
    await during(4_000, admission);
    const times = all.map((hello) => hello.at ?? Infinity);
    expect(times.at(-1)).toBe(5_000);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(admission.length).toBe(0);
  });

  it('takes no more than its queue holds', () => {
    const admission = new Admission({ ratePerSecond: 1, queueLength: 2, now: () => 0 });
    expect(hellos(5).map((hello) => admission.request(hello))).toEqual([true, true, true, false, false]);
  });

  it('lets nobody wait for longer than agents do, whatever the rate', async () => {
    const admission = new Admission({ ratePerSecond: 10, now: () => Date.now() });
    const all = hellos(300);
    const taken = all.filter((hello) => admission.request(hello));
    expect(taken.length).toBe(10 + 200);
    await during(20_000, admission);
    expect(taken.every((hello) => hello.at !== undefined)).toBe(true);
  });

  it('spends nothing on those that gave up, and lets nobody overtake', async () => {
    const admission = new Admission({ ratePerSecond: 10, now: () => Date.now() });
    const all = hellos(40);
    for (const hello of all) admission.request(hello);
    for (const hello of all.slice(10, 30)) hello.phase = 'closed';
    jest.advanceTimersByTime(1_000);
    const late = new Hello();
    admission.request(late);
    expect(late.at).toBeUndefined();
    await during(5_000, admission);
    expect(all.slice(10, 30).every((hello) => hello.at === undefined)).toBe(true);
    expect([...all.slice(0, 10), ...all.slice(30), late].every((hello) => hello.at !== undefined)).toBe(true);
  });
});

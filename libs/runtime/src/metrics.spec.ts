import { describe, expect, it } from '@jest/globals';
import { Counter, createRegistry } from './metrics.ts';
import { VERSION } from './version.ts';

describe('createRegistry', () => {
  it("has the process's own figures and the build's", async () => {
    const text = await createRegistry('auth').metrics();
    expect(text).toContain(`tagplane_build_info{service="auth",version="${VERSION}"} 1`);
    expect(text).toMatch(/^process_cpu_seconds_total \d/m);
    expect(text).toMatch(/^nodejs_eventloop_lag_seconds \d/m);
  });

  it('makes one that shares nothing with another', async () => {
    const [one, other] = [createRegistry('one'), createRegistry('other')];
    new Counter({ name: 'tagplane_scans_total', help: 'Scans.', registers: [one] }).inc();
    expect(await one.metrics()).toContain('tagplane_scans_total 1');
    expect(await other.metrics()).not.toContain('tagplane_scans_total');
  });
});

import { describe, expect, it } from '@jest/globals';
import { Registry } from '@tagplane/runtime';
import { credentialMetrics } from './metrics.ts';

describe('credentialMetrics', () => {
  it('counts results, and reads the time that is left when it is asked', async () => {
    const registry = new Registry();
    const left: { ms?: number } = {};
    const observer = credentialMetrics(registry, 'agent', () => left.ms);
    expect(await registry.metrics()).toContain('tagplane_agent_certificate_expires_seconds Nan');
    left.ms = -1_500;
    observer.renewed('ok');
    observer.renewed('failed');
    observer.renewed('failed');
    observer.joined('refused', 'no such token');
    const text = await registry.metrics();
    expect(text).toContain('tagplane_agent_certificate_expires_seconds -1.5');
    expect(text).toContain('tagplane_agent_certificate_renewals_total{result="ok"} 1');
    expect(text).toContain('tagplane_agent_certificate_renewals_total{result="failed"} 2');
    expect(text).toContain('tagplane_agent_joins_total{result="refused"} 1');
    expect(text).not.toContain('no such token');
  });
});

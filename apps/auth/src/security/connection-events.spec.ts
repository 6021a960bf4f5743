import { beforeEach, describe, expect, it } from '@jest/globals';
import { createRegistry } from '@tagplane/runtime';
import type { Registry } from '@tagplane/runtime';
import type { AuditRecord } from '../audit/audit.ts';
import { watchConnections } from './connection-events.ts';

let registry: Registry;
let events: AuditRecord[];
let watch: ReturnType<typeof watchConnections>;

beforeEach(() => {
  registry = createRegistry('auth');
  events = [];
  const audit = { record: (event: AuditRecord) => events.push(event) };
  watch = watchConnections(registry, audit, () => ({ identified: 3, unidentified: 1 }));
});

describe('what happens to connections', () => {
  it('is counted, and audited only where something was refused', async () => {
    watch({ type: 'handshake', resumed: true, remoteAddress: '192.0.2.1' });
    watch({
      type: 'refused',
      reason: 'certificate_expired',
      remoteAddress: '192.0.2.1',
      detail: 'the certificate has ended',
      id: 'spiffe://tagplane/agent/web-1',
    });
    const text = await registry.metrics();
    expect(text).toContain('tagplane_auth_handshakes_total{resumed="true"} 1');
    expect(text).toContain('tagplane_auth_connections_refused_total{reason="certificate_expired"} 1');
    expect(text).toContain('tagplane_auth_connections{identified="true"} 3');
    expect(text).toContain('tagplane_auth_connections{identified="false"} 1');
    expect(events).toEqual([
      {
        code: 'connection.refused',
        result: 'refused',
        actor: 'agent/web-1',
        remoteAddress: '192.0.2.1',
        reason: 'the certificate has ended',
        details: { cause: 'certificate_expired' },
      },
    ]);
  });

  it('names nobody where nothing was proven', () => {
    watch({
      type: 'refused',
      reason: 'bad_certificate',
      remoteAddress: '192.0.2.9',
      detail: 'the certificate is not one of this cluster',
      id: undefined,
    });
    expect(events.map(({ actor }) => actor)).toEqual([undefined]);
  });
});

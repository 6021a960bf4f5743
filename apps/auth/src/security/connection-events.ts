import { peerText, parseSpiffeId } from '@tagplane/identity';
import type { ConnectionEvent } from '@tagplane/protocol';
import { Counter, Gauge } from '@tagplane/runtime';
import type { Registry } from '@tagplane/runtime';
import type { Audit } from '../audit/audit.ts';

/** Counts what happens to connections before any call, and audits what is refused. */
export function watchConnections(
  registry: Registry,
  audit: Audit,
  open: () => { readonly identified: number; readonly unidentified: number },
): (event: ConnectionEvent) => void {
  const registers = [registry];
  const handshakes = new Counter({
    name: 'tagplane_auth_handshakes_total',
    help: 'TLS handshakes that came to an end, by whether a session was resumed.',
    labelNames: ['resumed'],
    registers,
  });
  const refused = new Counter({
    name: 'tagplane_auth_connections_refused_total',
    help: 'Connections that were refused or cut, and certificates that were refused, by reason.',
    labelNames: ['reason'],
    registers,
  });
  new Gauge({
    name: 'tagplane_auth_connections',
    help: 'Open connections over TLS, by whether the peer has proven who it is.',
    labelNames: ['identified'],
    registers,
    collect() {
      const { identified, unidentified } = open();
      this.set({ identified: 'true' }, identified);
      this.set({ identified: 'false' }, unidentified);
    },
  });
  return (event) => {
    if (event.type === 'handshake') {
      handshakes.inc({ resumed: String(event.resumed) });
      return;
    }
    const { reason, detail, remoteAddress, id } = event;
    refused.inc({ reason });
    const known = id === undefined ? undefined : parseSpiffeId(id);
    audit.record({
      code: 'connection.refused',
      result: 'refused',
      actor: known && peerText(known),
      remoteAddress,
      reason: detail,
      details: { cause: reason },
    });
  };
}

import type { TlsOptions } from 'node:tls';
import { serverCredentials } from './fleet.ts';
import type { TlsFleet } from './fleet.ts';

/** Mutual TLS 1.3 as node itself does it: who shows no good certificate is turned away in the handshake. */
export function bareTlsOptions(fleet: TlsFleet): TlsOptions {
  const { privateKey, certificates, authorities, ticketKeys } = serverCredentials(fleet);
  return {
    key: privateKey,
    cert: certificates.join('\n'),
    ca: [...authorities],
    ticketKeys: Buffer.from(ticketKeys),
    minVersion: 'TLSv1.3',
    requestCert: true,
    rejectUnauthorized: true,
    ALPNProtocols: ['h2'],
  };
}

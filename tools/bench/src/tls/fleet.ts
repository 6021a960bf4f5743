import { X509Certificate, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createKey, credentialsFromIssued } from '@tagplane/credentials';
import type { Credentials } from '@tagplane/credentials';
import { issueCertificate } from '@tagplane/pki';
import type { AuthorityKeys, Subject } from '@tagplane/pki';
import type { ServerCredentials } from '@tagplane/protocol';
import { HOUR, MINUTE } from '@tagplane/runtime';
import { instanceNumber } from '../fleet.ts';
import { serverIdOf } from '../messages.ts';

/** The certificates of a fleet and of a server of the same cluster, as they go from process to process. */
export interface TlsFleet {
  readonly cluster: string;
  /** PEM. */
  readonly authority: string;
  /** PKCS#8 in PEM. One key for all: what is measured does not depend on whose it is. */
  readonly privateKey: string;
  /** PEM, by the number of the agent. */
  readonly agents: readonly string[];
  /** PEM. */
  readonly server: string;
  /** Base64. */
  readonly ticketKeys: string;
}

export async function makeFleet(options: {
  readonly cluster: string;
  readonly authority: AuthorityKeys;
  readonly agents: number;
}): Promise<TlsFleet> {
  const { cluster, authority } = options;
  const { privateKey, publicKey } = createKey();
  const certify = async (subject: Pick<Subject, 'role' | 'name' | 'instance'>): Promise<string> => {
    const now = Date.now();
    const validity = { validFrom: now - 15 * MINUTE, validUntil: now + 12 * HOUR };
    const der = await issueCertificate({
      authority,
      subject: { cluster, publicKey, ...subject },
      ...validity,
    });
    return new X509Certificate(der).toString();
  };
  const agents: string[] = [];
  for (let index = 0; index < options.agents; index += 1) {
    agents.push(await certify({ role: 'agent', name: serverIdOf(index), instance: instanceNumber(index) }));
  }
  return {
    cluster,
    authority: authority.certificate,
    privateKey,
    agents,
    server: await certify({ role: 'auth', name: 'bench' }),
    ticketKeys: randomBytes(48).toString('base64'),
  };
}

export function readFleet(file: string): TlsFleet {
  return JSON.parse(readFileSync(file, 'utf8')) as TlsFleet;
}

/** Of one agent. */
export function agentCredentials(fleet: TlsFleet, index: number): Credentials {
  const { cluster, privateKey, authority } = fleet;
  const [own, issuer] = [fleet.agents[index] ?? '', authority].map((pem) => new X509Certificate(pem).raw);
  if (own === undefined || issuer === undefined) throw new RangeError(`no certificate of agent ${index}`);
  const issued = { certificates: [own], generation: 1, authorities: [issuer] };
  return credentialsFromIssued({ issued, privateKey, cluster });
}

export function serverCredentials(fleet: TlsFleet): ServerCredentials {
  const { privateKey, server, authority, ticketKeys } = fleet;
  return {
    privateKey,
    certificates: [server, authority],
    authorities: [authority],
    ticketKeys: Buffer.from(ticketKeys, 'base64'),
  };
}

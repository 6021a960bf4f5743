import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  SubjectAlternativeNameExtension,
  X509Certificate as Parsed,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { JsonGeneralName } from '@peculiar/x509';
import type { Issued } from '../credentials.ts';
import { createKey } from '../statements.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

export interface TestSubject {
  readonly uri?: string;
  readonly dns?: string;
  /** Unix milliseconds. */
  readonly from?: number;
  readonly until?: number;
  readonly key?: { readonly privateKey: string; readonly publicKey: Uint8Array };
}

/** An authority that certifies whatever a test asks for. */
export interface TestAuthority {
  readonly certificate: Uint8Array;
  /** A cross certificate: the other's name and key, signed by this one. */
  certify(other: TestAuthority): Promise<Uint8Array>;
  issue(subject?: TestSubject): Promise<{ readonly issued: Issued; readonly privateKey: string }>;
}

export async function createTestAuthority(generation = 1): Promise<TestAuthority> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const name = `CN=Test authority ${generation}`;
  const authority = await X509CertificateGenerator.createSelfSigned({
    name,
    keys,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date('2020-01-01'),
    notAfter: new Date('2040-01-01'),
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
  });
  const certificate = new Uint8Array(authority.rawData);
  return {
    certificate,
    async certify(other) {
      const certified = new Parsed(Uint8Array.from(other.certificate));
      const cross = await X509CertificateGenerator.create({
        subject: certified.subject,
        issuer: name,
        publicKey: certified.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: ALGORITHM,
        notBefore: new Date('2020-01-01'),
        notAfter: new Date('2040-01-01'),
        extensions: [new BasicConstraintsExtension(true, 0, true)],
      });
      return new Uint8Array(cross.rawData);
    },
    async issue({ uri = 'spiffe://test/agent/web-1', dns, from, until, key = createKey() } = {}) {
      const names: JsonGeneralName[] = [
        { type: 'url', value: uri },
        ...(dns === undefined ? [] : [{ type: 'dns' as const, value: dns }]),
      ];
      const leaf = await X509CertificateGenerator.create({
        subject: '',
        issuer: name,
        publicKey: await publicKeyOf(key.publicKey),
        signingKey: keys.privateKey,
        signingAlgorithm: ALGORITHM,
        notBefore: new Date(from ?? Date.now() - 15 * 60_000),
        notAfter: new Date(until ?? Date.now() + 12 * 3_600_000),
        extensions: [new SubjectAlternativeNameExtension(names, true)],
      });
      const issued = { certificates: [new Uint8Array(leaf.rawData)], generation, authorities: [certificate] };
      return { issued, privateKey: key.privateKey };
    },
  };
}

function publicKeyOf(spki: Uint8Array): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('spki', spki, ALGORITHM, true, ['verify']);
}

// Must be first: the certificate library's decorators need it.
import 'reflect-metadata';
import { X509Certificate, randomBytes, webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { JsonGeneralNames } from '@peculiar/x509';
import { credentialsFromIssued } from '@tagplane/credentials';
import type { Credentials, TrustBundle } from '@tagplane/credentials';
import type { InstanceKey, Role } from '@tagplane/identity';
import { formatSpiffeId, instanceDnsName, publicKeyPin } from '@tagplane/identity';
import { HOUR, MINUTE } from '@tagplane/runtime';
import type { ServerCredentials } from '../server/security.ts';

type Key = webcrypto.CryptoKey;

const P256 = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' };

/** What a certificate of a test authority says; by default all that makes it a good one. */
export interface TestCertificateOptions {
  readonly role: Role;
  readonly name: string;
  readonly instance?: InstanceKey;
  /** Instead of the authority's own. */
  readonly cluster?: string;
  /** Instead of the URI and DNS names of the role, the name and the instance. */
  readonly names?: JsonGeneralNames;
  readonly validFrom?: Date;
  readonly validUntil?: Date;
  /** SubjectPublicKeyInfo in DER, instead of a new key. */
  readonly publicKey?: Uint8Array;
}

export interface TestCertificate {
  /** PKCS#8 in PEM; empty when the key was given. */
  readonly privateKey: string;
  /** PEM: its own, then the authority's. */
  readonly certificates: readonly string[];
}

/** A certificate authority made in memory, for tests: it certifies whatever it is told to. */
export class TestAuthority {
  readonly cluster: string;
  /** PEM. */
  readonly certificate: string;
  readonly pin: string;
  readonly ticketKeys: Uint8Array = randomBytes(48);
  readonly #keys: webcrypto.CryptoKeyPair;

  private constructor(cluster: string, certificate: string, keys: webcrypto.CryptoKeyPair) {
    this.cluster = cluster;
    this.certificate = certificate;
    this.pin = publicKeyPin(new X509Certificate(certificate));
    this.#keys = keys;
  }

  static async create(cluster = 'test'): Promise<TestAuthority> {
    const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
    const certificate = await X509CertificateGenerator.createSelfSigned({
      // Two authorities of one name would be taken for each other's.
      name: `CN=${cluster} authority ${randomBytes(4).toString('hex')}`,
      keys,
      notBefore: new Date(Date.now() - HOUR),
      notAfter: new Date(Date.now() + 24 * HOUR),
      signingAlgorithm: SIGNING,
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new TestAuthority(cluster, certificate.toString('pem'), keys);
  }

  get trust(): TrustBundle {
    return { cluster: this.cluster, generation: 1, authorities: [this.certificate] };
  }

  /** A certificate that this authority makes for the key of another, as while authorities change; PEM. */
  async crossCertify(other: TestAuthority): Promise<string> {
    const certificate = await X509CertificateGenerator.create({
      subject: new X509Certificate(other.certificate).subject,
      issuer: new X509Certificate(this.certificate).subject,
      publicKey: other.#keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: SIGNING,
      notBefore: new Date(Date.now() - HOUR),
      notAfter: new Date(Date.now() + 24 * HOUR),
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
        await SubjectKeyIdentifierExtension.create(other.#keys.publicKey),
        await AuthorityKeyIdentifierExtension.create(this.#keys.publicKey),
      ],
    });
    return certificate.toString('pem');
  }

  async issue(options: TestCertificateOptions): Promise<TestCertificate> {
    const own = await subjectKey(options.publicKey);
    const leaf = await X509CertificateGenerator.create({
      serialNumber: `01${randomBytes(15).toString('hex')}`,
      subject: `CN=${options.name}`,
      issuer: new X509Certificate(this.certificate).subject,
      publicKey: own.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: SIGNING,
      notBefore: options.validFrom ?? new Date(Date.now() - 15 * MINUTE),
      notAfter: options.validUntil ?? new Date(Date.now() + 12 * HOUR),
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension(usages(options.role)),
        new SubjectAlternativeNameExtension(options.names ?? this.#names(options)),
        await AuthorityKeyIdentifierExtension.create(this.#keys.publicKey),
      ],
    });
    return { privateKey: own.privateKey, certificates: [leaf.toString('pem'), this.certificate] };
  }

  /** Good ones. */
  async credentials(options: TestCertificateOptions): Promise<Credentials> {
    const { privateKey, certificates } = await this.issue(options);
    return credentialsFromIssued({
      issued: {
        certificates: certificates.map(derOf),
        generation: 1,
        authorities: [derOf(this.certificate)],
      },
      privateKey,
      cluster: this.cluster,
    });
  }

  /** Of an auth service that takes certificates of this authority. */
  async serverCredentials(options: Partial<TestCertificateOptions> = {}): Promise<ServerCredentials> {
    const issued = await this.issue({ role: 'auth', name: 'auth-1', ...options });
    return { ...issued, authorities: [this.certificate], ticketKeys: this.ticketKeys };
  }

  #names({ role, name, instance, cluster = this.cluster }: TestCertificateOptions): JsonGeneralNames {
    const uri = { type: 'url', value: formatSpiffeId({ cluster, role, name }) } as const;
    return instance === undefined ? [uri] : [uri, { type: 'dns', value: instanceDnsName(instance) }];
  }
}

async function subjectKey(given: Uint8Array | undefined): Promise<{ publicKey: Key; privateKey: string }> {
  if (given !== undefined) {
    const publicKey = await webcrypto.subtle.importKey('spki', given, P256, true, ['verify']);
    return { publicKey, privateKey: '' };
  }
  const { publicKey, privateKey } = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey));
  return {
    publicKey,
    privateKey: `-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----\n`,
  };
}

function usages(role: Role): ExtendedKeyUsage[] {
  const client = [ExtendedKeyUsage.clientAuth];
  return role === 'auth' ? [ExtendedKeyUsage.serverAuth, ...client] : client;
}

function derOf(pem: string): Uint8Array {
  return new X509Certificate(pem).raw;
}

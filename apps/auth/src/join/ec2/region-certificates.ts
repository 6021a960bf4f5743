import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ConfigError, errorMessage } from '@tagplane/runtime';

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** AWS's certificates for identity documents, by region. */
export type RegionCertificates = ReadonlyMap<string, readonly X509Certificate[]>;

/** @throws ConfigError that names the key, for a file that cannot be read or holds no RSA certificate */
export function readRegionCertificates(files: Readonly<Record<string, string>>): RegionCertificates {
  return new Map(Object.entries(files).map(([region, file]) => [region, readCertificates(region, file)]));
}

function readCertificates(region: string, file: string): X509Certificate[] {
  const key = `join.ec2.certificates.${region}`;
  let certificates: X509Certificate[];
  try {
    const blocks = readFileSync(file, 'utf8').match(PEM) ?? [];
    certificates = blocks.map((pem) => new X509Certificate(pem));
  } catch (error) {
    throw new ConfigError(`${key}: ${file} cannot be read: ${errorMessage(error)}`, { cause: error });
  }
  const usable = certificates.filter(({ publicKey }) => publicKey.asymmetricKeyType === 'rsa');
  if (usable.length === 0) throw new ConfigError(`${key}: ${file} holds no RSA certificate in PEM`);
  return usable;
}

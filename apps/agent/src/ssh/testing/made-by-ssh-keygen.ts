import { readFile } from 'node:fs/promises';

/** A certificate that OpenSSH 9.2's ssh-keygen made, and what `ssh-keygen -L` says of it. */
export interface MadeCertificate {
  readonly name: string;
  readonly certificate: string;
  readonly keyId: string;
  readonly serial: string;
  readonly type: 'user' | 'host';
  readonly principals: readonly string[];
  readonly criticalOptions: readonly string[];
  readonly extensions: readonly string[];
}

/** One of each kind of key; those of security keys too, which ssh-keygen signs without the device. */
export async function madeBySshKeygen(): Promise<MadeCertificate[]> {
  const file = new URL('./certificates.json', import.meta.url);
  return JSON.parse(await readFile(file, 'utf8')) as MadeCertificate[];
}

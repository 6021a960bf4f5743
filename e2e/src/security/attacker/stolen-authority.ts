import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { publicKeyPin } from '@tagplane/identity';
import { openSecret } from '@tagplane/pki';
import { openEmbeddedStore } from '@tagplane/store-embedded';
import { Issuer } from './certificates.ts';

interface Record {
  readonly cluster: string;
  readonly authority: { readonly certificate: string; readonly sealed_key: string };
}

/** The cluster's own authority, as whoever has both the store and the sealing key can use it. */
export async function stealAuthority(files: {
  readonly store: string;
  readonly sealingKey: string;
}): Promise<Issuer> {
  await using store = openEmbeddedStore({ path: files.store, kind: 'security' });
  const [found] = await store.getMany(['ca/current'], { signal: AbortSignal.timeout(30_000) });
  if (found?.state !== 'live') throw new Error('the store holds no authority');
  const { cluster, authority } = JSON.parse(found.value) as Record;
  const { certificate } = authority;
  const key = Buffer.from(await readFile(files.sealingKey, 'utf8'), 'base64');
  const context = `ca/${cluster}/${publicKeyPin(new X509Certificate(certificate))}`;
  return new Issuer(cluster, { certificate, privateKey: openSecret(authority.sealed_key, key, context) });
}

import { X509Certificate } from 'node:crypto';
import type { Credentials } from '@tagplane/credentials';
import { lifeMs, readCredentialFile } from '@tagplane/credentials';
import { identifyCertificate } from '@tagplane/identity';
import { ConfigError, errorMessage } from '@tagplane/runtime';
import type { OpenedCa } from './opened-ca.ts';

/** Holders renew at two thirds of the life. What is older than that was renewed by nobody. */
const LEAST_LEFT = 1 / 3;

/**
 * The operator's credentials in a file, if they will do: of an authority that is trusted, and with more than a
 * third of their life left at `now` (Unix milliseconds). Undefined for those that are to be replaced, and
 * where there are none.
 *
 * @throws ConfigError for a file that holds something else, which is not to be replaced
 */
export async function keptOperator(
  out: string,
  { name, ca, now }: { readonly name: string; readonly ca: OpenedCa; readonly now: number },
): Promise<Credentials | undefined> {
  const kept = await read(out);
  if (kept === undefined) return undefined;
  if (kept.role !== 'operator' || kept.name !== name) {
    throw new ConfigError(`--out: ${out} holds the credentials of ${kept.role}/${kept.name}`);
  }
  const [leaf = ''] = kept.certificates;
  const trust = { cluster: ca.record.cluster, authorities: ca.authorities };
  const identified = identifyCertificate(new X509Certificate(leaf), trust, now);
  return identified.ok && kept.validUntil - now > lifeMs(kept) * LEAST_LEFT ? kept : undefined;
}

async function read(out: string): Promise<Credentials | undefined> {
  try {
    return await readCredentialFile(out);
  } catch (error) {
    throw new ConfigError(`--out: ${errorMessage(error)}`, { cause: error });
  }
}

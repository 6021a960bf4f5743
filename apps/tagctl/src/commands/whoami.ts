import { X509Certificate } from 'node:crypto';
import type { Credentials } from '@tagplane/credentials';
import { publicKeyPin } from '@tagplane/identity';
import type { GlobalFlags } from '../context.ts';
import { credentialsAge } from '../credentials/age.ts';
import { readCredentials } from '../credentials/credential-store.ts';
import { EXIT_FAILED, EXIT_OK, LOG_IN, usageError } from '../errors.ts';
import type { Format } from '../format/formats.ts';
import { printDetails, printDocument } from '../format/print.ts';
import type { TagctlIo } from '../io.ts';
import { readSettings } from '../settings.ts';
import { identityDetails } from '../views/identity.ts';
import type { IdentityView } from '../views/identity.ts';

/** `whoami`: exit 1 when the certificate has expired. */
export async function whoami(flags: GlobalFlags, io: TagctlIo): Promise<number> {
  const { security } = readSettings(flags, io);
  if (security.mode === 'insecure') {
    const { role, name } = security.peer;
    await printView(flags.format, { mode: 'insecure', role, name }, io);
    return EXIT_OK;
  }
  const { file } = security;
  const credentials = await readCredentials(file);
  if (credentials === undefined) throw usageError(`no credentials in ${file}: ${LOG_IN}`);
  await printIdentity(flags.format, { credentials, file }, io);
  return credentialsAge(credentials, io.now()) === 'ended' ? EXIT_FAILED : EXIT_OK;
}

/** Who these credentials are, and until when. */
export async function printIdentity(
  format: Format,
  { credentials, file }: { readonly credentials: Credentials; readonly file: string },
  io: TagctlIo,
): Promise<void> {
  const { id, role, name, trust, validUntil } = credentials;
  const view: IdentityView = {
    mode: 'mutual',
    identity: id,
    role,
    name,
    cluster: trust.cluster,
    valid_until: new Date(validUntil).toISOString(),
    file,
    ca_pins: trust.authorities.map((pem) => publicKeyPin(new X509Certificate(pem))),
    trust_generation: trust.generation,
  };
  await printView(format, view, io);
}

async function printView(format: Format, view: IdentityView, io: TagctlIo): Promise<void> {
  if (format === 'table') await printDetails(identityDetails(view, io.now()), io);
  else await printDocument(format, view, io);
}

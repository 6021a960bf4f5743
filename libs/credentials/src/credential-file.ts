import { FileModeError, errorMessage, readIfThere, writeAtomically } from '@tagplane/runtime';
import * as z from 'zod';
import type { Credentials } from './credentials.ts';
import { assembleCredentials } from './issued.ts';

/** Why a credential file cannot be used. Names the file, and nothing of its content. */
export class CredentialFileError extends Error {
  override readonly name = 'CredentialFileError';
  readonly path: string;
  /** `exposed`: others may read it; `broken`: it is not what was written; `unreadable`: the system says no. */
  readonly kind: 'exposed' | 'broken' | 'unreadable';

  constructor(path: string, kind: CredentialFileError['kind'], reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.path = path;
    this.kind = kind;
  }
}

const VERSION = 1;
/** A chain of three and a bundle of two are some 6 KiB. */
const MAX_FILE_BYTES = 256 * 1024;
const MAX_CERTIFICATES = 16;

const time = z.iso.datetime();
const pems = z.array(z.string()).min(1).max(MAX_CERTIFICATES);

const credentialFile = z.object({
  version: z.literal(VERSION),
  id: z.string(),
  role: z.string(),
  name: z.string(),
  instance: z.object({ account: z.string(), region: z.string(), instance: z.string() }).optional(),
  private_key: z.string(),
  certificates: pems,
  trust: z.object({ cluster: z.string(), generation: z.int().min(0), authorities: pems }),
  valid_from: time,
  valid_until: time,
  received_at: time,
});

/** One JSON document. Who the holder is, and until when, stands in it for people: the certificate says it. */
export function encodeCredentials(credentials: Credentials): string {
  const { id, role, name, instance, privateKey, certificates, trust } = credentials;
  const { cluster, generation, authorities } = trust;
  const file: z.input<typeof credentialFile> = {
    version: VERSION,
    id,
    role,
    name,
    ...(instance === undefined ? {} : { instance: { ...instance } }),
    private_key: privateKey,
    certificates: [...certificates],
    trust: { cluster, generation, authorities: [...authorities] },
    valid_from: timeText(credentials.validFrom),
    valid_until: timeText(credentials.validUntil),
    received_at: timeText(credentials.receivedAt),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** @throws Error when the text is no such document, or its parts do not belong together; quotes nothing of it */
export function decodeCredentials(text: string): Credentials {
  const file = parse(text);
  return assembleCredentials({
    privateKey: file.private_key,
    certificates: file.certificates,
    trust: file.trust,
    receivedAt: Date.parse(file.received_at),
  });
}

/**
 * The credentials in a file; undefined when there is none.
 *
 * @throws CredentialFileError
 */
export async function readCredentialFile(path: string): Promise<Credentials | undefined> {
  const text = await readPrivate(path);
  if (text === undefined) return undefined;
  try {
    return decodeCredentials(text);
  } catch (error) {
    throw new CredentialFileError(path, 'broken', `${path} holds no credentials: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

/** Replaces the file as a whole; only its owner can read it. A directory that is missing is made. */
export async function writeCredentialFile(path: string, credentials: Credentials): Promise<void> {
  await writeAtomically(path, encodeCredentials(credentials));
}

async function readPrivate(path: string): Promise<string | undefined> {
  try {
    return await readIfThere(path, { maxBytes: MAX_FILE_BYTES, ownerOnly: true });
  } catch (error) {
    const kind = error instanceof FileModeError ? 'exposed' : 'unreadable';
    const reason = kind === 'exposed' ? '' : `${path} cannot be read: `;
    throw new CredentialFileError(path, kind, `${reason}${errorMessage(error)}`, { cause: error });
  }
}

function parse(text: string): z.output<typeof credentialFile> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, the key and all.
    throw new Error('not JSON');
  }
  const result = credentialFile.safeParse(value);
  if (result.success) return result.data;
  throw new Error(`unexpected at ${result.error.issues[0]?.path.join('.') ?? ''}`);
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

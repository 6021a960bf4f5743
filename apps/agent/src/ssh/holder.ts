import { readCertificate } from './certificate.ts';
import { CertificateError, WireReader } from './wire-reader.ts';

/** Who shows a user certificate, as far as roles go. */
export interface CertificateHolder {
  /** The principals that can name a role; each once. */
  readonly roles: readonly string[];
  readonly traits: ReadonlyMap<string, readonly string[]>;
  /** For logs: who issued the certificate says whom it is for. At most 256 characters. */
  readonly keyId: string;
  /** Decimal. */
  readonly serial: string;
}

/** The certificate's extension that carries traits: a JSON object of lists of strings. */
export const TRAITS_EXTENSION = 'traits@tagplane';

const MAX_TRAITS = 64;
const MAX_TRAIT_VALUES = 256;
const MAX_TRAIT_CHARACTERS = 256;
const MAX_LOGGED_KEY_ID = 256;
/** A name that a role can have. */
const ROLE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

export function isRoleName(text: string): boolean {
  return ROLE_NAME.test(text);
}

/**
 * Reads whom a user certificate is for.
 *
 * @param text base64 of the certificate
 * @throws CertificateError when it is unreadable, a host's, or its traits are not what they should be
 */
export function certificateHolder(text: string): CertificateHolder {
  const { type, principals, extensions, keyId, serial } = readCertificate(text);
  if (type !== 'user') throw new CertificateError("it is a host's");
  const traits = extensions.get(TRAITS_EXTENSION);
  return {
    roles: principals.filter(isRoleName),
    traits: traits === undefined ? new Map() : readTraits(traits),
    keyId: keyId.slice(0, MAX_LOGGED_KEY_ID),
    serial: serial.toString(),
  };
}

function readTraits(data: Buffer): Map<string, readonly string[]> {
  const reader = new WireReader(data);
  const text = reader.text(TRAITS_EXTENSION);
  reader.end(TRAITS_EXTENSION);
  const traits = new Map<string, readonly string[]>();
  for (const [name, values] of Object.entries(parseObject(text))) {
    if (!fits(name) || !isListOfTexts(values)) {
      throw new CertificateError('a trait of it is no list of strings, or too long');
    }
    traits.set(name, values);
  }
  if (traits.size > MAX_TRAITS) throw new CertificateError('it has too many traits');
  return traits;
}

function parseObject(text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CertificateError('its traits are not JSON', { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CertificateError('its traits are no JSON object');
  }
  return value;
}

function isListOfTexts(values: unknown): values is readonly string[] {
  return Array.isArray(values) && values.length <= MAX_TRAIT_VALUES && values.every(fits);
}

function fits(value: unknown): boolean {
  return typeof value === 'string' && value.length <= MAX_TRAIT_CHARACTERS;
}

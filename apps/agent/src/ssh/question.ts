import type { AccessRequest } from '@tagplane/access';

/** Whether somebody may log in, and what is said of who asks; only the former is decided by. */
export interface AskedLogin extends AccessRequest {
  /** Empty when it was not said. */
  readonly keyId: string;
  /** Empty when it was not said. */
  readonly serial: string;
}

const MAX_NAME = 256;
const MAX_ROLES = 256;
const MAX_TRAITS = 64;
const MAX_TRAIT_VALUES = 256;

/** Reads what `ssh principals` asks; undefined when it is anything else. */
export function readQuestion(body: unknown): AskedLogin | undefined {
  if (!isObject(body)) return undefined;
  const { login, roles, traits = {}, certificate = {} } = body;
  if (!isName(login) || login === '' || !isNames(roles, MAX_ROLES) || !isObject(certificate))
    return undefined;
  const read = readTraits(traits);
  const { key_id: keyId = '', serial = '' } = certificate;
  if (read === undefined || !isName(keyId) || !isName(serial)) return undefined;
  return { login, roles, traits: read, keyId, serial };
}

function readTraits(value: unknown): Map<string, readonly string[]> | undefined {
  if (!isObject(value)) return undefined;
  const traits = new Map<string, readonly string[]>();
  for (const [name, values] of Object.entries(value)) {
    if (!isName(name) || !isNames(values, MAX_TRAIT_VALUES)) return undefined;
    traits.set(name, values);
  }
  return traits.size <= MAX_TRAITS ? traits : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNames(value: unknown, most: number): value is readonly string[] {
  return Array.isArray(value) && value.length <= most && value.every(isName);
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_NAME;
}

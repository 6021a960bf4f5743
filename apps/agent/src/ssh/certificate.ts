import { CertificateError, WireReader } from './wire-reader.ts';

/** An OpenSSH certificate, less its keys, its signature and what they mean: sshd has checked those. */
export interface SshCertificate {
  /** Such as `ssh-ed25519-cert-v01@openssh.com`. */
  readonly algorithm: string;
  readonly serial: bigint;
  readonly type: 'user' | 'host';
  readonly keyId: string;
  /** In their order; each once. */
  readonly principals: readonly string[];
  /** Unix seconds. */
  readonly validAfter: bigint;
  /** Unix seconds. */
  readonly validBefore: bigint;
  /** By name; the value is as it is on the wire, empty for a flag. */
  readonly criticalOptions: ReadonlyMap<string, Buffer>;
  readonly extensions: ReadonlyMap<string, Buffer>;
}

/** How many strings the key itself takes between the nonce and the serial number, by algorithm. */
const KEY_FIELDS: ReadonlyMap<string, number> = new Map([
  ['ssh-ed25519-cert-v01@openssh.com', 1],
  ['ssh-rsa-cert-v01@openssh.com', 2],
  ['ecdsa-sha2-nistp256-cert-v01@openssh.com', 2],
  ['ecdsa-sha2-nistp384-cert-v01@openssh.com', 2],
  ['ecdsa-sha2-nistp521-cert-v01@openssh.com', 2],
  ['sk-ssh-ed25519-cert-v01@openssh.com', 2],
  ['sk-ecdsa-sha2-nistp256-cert-v01@openssh.com', 3],
]);

/** One argument of a command on Linux is at most 128 KiB, and a certificate some 2 KiB. */
const MAX_TEXT = 128 * 1024;
/** OpenSSH's own bound. */
const MAX_PRINCIPALS = 256;
const MAX_OPTIONS = 256;
const TYPES: ReadonlyMap<number, 'user' | 'host'> = new Map([
  [1, 'user'],
  [2, 'host'],
]);

/**
 * Reads a certificate of the format that OpenSSH's PROTOCOL.certkeys describes.
 *
 * @param text base64, as sshd's `%k` gives it
 * @throws CertificateError when it is anything else
 */
export function readCertificate(text: string): SshCertificate {
  const reader = new WireReader(decodeBase64(text));
  const algorithm = reader.text('its algorithm');
  const fields = KEY_FIELDS.get(algorithm);
  if (fields === undefined) throw new CertificateError('it is no certificate of a known kind');
  reader.string('its nonce');
  for (let field = 0; field < fields; field += 1) reader.string('its key');
  const serial = reader.uint64('its serial number');
  const type = TYPES.get(reader.uint32('its type'));
  if (type === undefined) throw new CertificateError('it is for neither a user nor a host');
  const certificate = {
    ...{ algorithm, serial, type },
    keyId: reader.text('its key id'),
    principals: readPrincipals(reader.string('its principals')),
    validAfter: reader.uint64('its start'),
    validBefore: reader.uint64('its end'),
    criticalOptions: readOptions(reader.string('its critical options'), 'its critical options'),
    extensions: readOptions(reader.string('its extensions'), 'its extensions'),
  };
  reader.string('its reserved field');
  reader.string('the key that signed it');
  reader.string('its signature');
  reader.end('its signature');
  return certificate;
}

function decodeBase64(text: string): Buffer {
  if (text.length > MAX_TEXT) throw new CertificateError('it is too long');
  const bytes = Buffer.from(text, 'base64');
  // Node passes over whatever is no base64.
  if (text === '' || bytes.toString('base64') !== text) throw new CertificateError('it is not base64');
  return bytes;
}

function readPrincipals(bytes: Buffer): string[] {
  const reader = new WireReader(bytes);
  const principals = new Set<string>();
  for (let count = 1; !reader.done; count += 1) {
    if (count > MAX_PRINCIPALS) throw new CertificateError('it has too many principals');
    principals.add(reader.text('a principal'));
  }
  return [...principals];
}

function readOptions(bytes: Buffer, what: string): Map<string, Buffer> {
  const reader = new WireReader(bytes);
  const options = new Map<string, Buffer>();
  while (!reader.done) {
    const name = reader.text(what);
    if (options.has(name)) throw new CertificateError(`${what} name one twice`);
    if (options.size === MAX_OPTIONS) throw new CertificateError(`${what} are too many`);
    options.set(name, reader.string(what));
  }
  return options;
}

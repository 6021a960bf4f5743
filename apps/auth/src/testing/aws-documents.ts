// Must be first: the certificate library's decorators need it.
import 'reflect-metadata';
import { KeyObject, createHash, sign, webcrypto } from 'node:crypto';
import { X509CertificateGenerator } from '@peculiar/x509';

const ALGORITHM = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 2_048,
  publicExponent: new Uint8Array([1, 0, 1]),
};

/** What a test may do otherwise than EC2 does. */
export interface Pkcs7Options {
  /** In pieces and of indefinite length, as EC2 writes it, or DER. Default true. */
  readonly indefinite?: boolean;
  /** What the signed attributes are about, instead of the content. */
  readonly digestOf?: Buffer;
  /** Without signed attributes, the signature is over the content. */
  readonly signedAttributes?: boolean;
  readonly signers?: number;
  /** Object identifier of the digest, in DER. Default SHA-256. */
  readonly digest?: Buffer;
  readonly contentType?: Buffer;
}

/** Signs identity documents as EC2 does, with a key and a certificate of its own. */
export interface DocumentSigner {
  /** PEM. */
  readonly certificate: string;
  /** Base64, in lines: `instance-identity/signature`. */
  rsa(document: Buffer): string;
  /** Base64, in lines: `instance-identity/rsa2048`. */
  pkcs7(document: Buffer, options?: Pkcs7Options): string;
}

export async function createDocumentSigner(validity: {
  readonly notBefore: Date;
  readonly notAfter: Date;
}): Promise<DocumentSigner> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned(
    { ...validity, name: 'CN=AWS of the tests', keys, signingAlgorithm: ALGORITHM },
    webcrypto,
  );
  const key = KeyObject.from(keys.privateKey);
  return {
    certificate: certificate.toString('pem'),
    rsa: (document) => lines(sign('sha256', document, key)),
    pkcs7: (document, options = {}) => lines(pkcs7(document, key, options)),
  };
}

export const OIDS = {
  signedData: Buffer.from('06092a864886f70d010702', 'hex'),
  data: Buffer.from('06092a864886f70d010701', 'hex'),
  contentType: Buffer.from('06092a864886f70d010903', 'hex'),
  messageDigest: Buffer.from('06092a864886f70d010904', 'hex'),
  sha256: Buffer.from('0609608648016503040201', 'hex'),
  sha1: Buffer.from('06052b0e03021a', 'hex'),
  rsa: Buffer.from('06092a864886f70d010101', 'hex'),
};
const NULL = Buffer.from('0500', 'hex');
const ONE = Buffer.from('020101', 'hex');

function pkcs7(content: Buffer, key: KeyObject, options: Pkcs7Options): Buffer {
  const { indefinite = true, signers = 1, digest = OIDS.sha256, contentType = OIDS.data } = options;
  const wrap = indefinite ? endless : tlv;
  const half = Math.floor(content.length / 2);
  const octets = indefinite
    ? endless(0x24, tlv(0x04, content.subarray(0, half)), tlv(0x04, content.subarray(half)))
    : tlv(0x04, content);
  const signer = signerInfo(content, key, { digest, ...options });
  const signedData = wrap(
    0x30,
    ONE,
    tlv(0x31, tlv(0x30, digest)),
    wrap(0x30, contentType, wrap(0xa0, octets)),
    tlv(0x31, ...Array.from({ length: signers }, () => signer)),
  );
  return wrap(0x30, OIDS.signedData, wrap(0xa0, signedData));
}

function signerInfo(
  content: Buffer,
  key: KeyObject,
  options: Pkcs7Options & { readonly digest: Buffer },
): Buffer {
  const { digestOf = content, signedAttributes = true, digest } = options;
  const hash = createHash('sha256').update(digestOf).digest();
  const attributes = [
    tlv(0x30, OIDS.contentType, tlv(0x31, OIDS.data)),
    tlv(0x30, OIDS.messageDigest, tlv(0x31, tlv(0x04, hash))),
  ];
  const signature = sign('sha256', signedAttributes ? tlv(0x31, ...attributes) : content, key);
  return tlv(
    0x30,
    ONE,
    // Issuer and serial number: whose certificate it is is not said by the document.
    tlv(0x30, tlv(0x30), ONE),
    tlv(0x30, digest),
    ...(signedAttributes ? [tlv(0xa0, ...attributes)] : []),
    tlv(0x30, OIDS.rsa, NULL),
    tlv(0x04, signature),
  );
}

/** Tag, length, value, in DER. */
function tlv(tag: number, ...parts: readonly Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  const { length } = value;
  const head = length < 0x80 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), value]);
}

/** The same, of indefinite length. */
function endless(tag: number, ...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from([tag, 0x80]), ...parts, Buffer.from([0, 0])]);
}

function lines(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll(/(.{64})(?=.)/g, '$1\n');
}

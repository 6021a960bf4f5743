import { createHash, verify } from 'node:crypto';
import type { X509Certificate } from 'node:crypto';
import { Attribute, ContentInfo, SignedData } from '@peculiar/asn1-cms';
import type { SignerInfo } from '@peculiar/asn1-cms';
import {
  AsnArray,
  AsnConvert,
  AsnType,
  AsnTypeTypes,
  OctetString as OctetStringValue,
} from '@peculiar/asn1-schema';
import { OctetString, fromBER } from 'asn1js';

const ID_SIGNED_DATA = '1.2.840.113549.1.7.2';
const ID_DATA = '1.2.840.113549.1.7.1';
const ID_MESSAGE_DIGEST = '1.2.840.113549.1.9.4';
const SHA256 = '2.16.840.1.101.3.4.2.1';
const RSA_SIGNATURES = new Set(['1.2.840.113549.1.1.1', '1.2.840.113549.1.1.11']);

/** SignedAttributes as they are signed: a SET OF in DER (RFC 5652, 5.4). */
class SignedAttributeSet extends AsnArray<Attribute> {}
AsnType({ type: AsnTypeTypes.Set, itemType: Attribute })(SignedAttributeSet);

/** A CMS SignedData that holds what was signed. */
export interface SignedContent {
  /** What was signed, if it was. */
  readonly content: Buffer;
  /** Whether it was, by the holder of this certificate's key. */
  isSignedBy(certificate: X509Certificate): boolean;
}

/**
 * Reads a CMS SignedData in BER. Only the form that EC2 makes is taken: RSA with SHA-256 (`rsa2048`; the
 * older `pkcs7` is DSA over SHA-1), one signer, and signed attributes: without them, somebody's
 * signature over attributes could be passed off as one over a content.
 *
 * @returns undefined for anything else
 */
export function readSignedContent(bytes: Uint8Array): SignedContent | undefined {
  try {
    const outer = AsnConvert.parse(bytes, ContentInfo);
    if (outer.contentType !== ID_SIGNED_DATA) return undefined;
    const { encapContentInfo, signerInfos } = AsnConvert.parse(outer.content, SignedData);
    const [signer] = signerInfos;
    const content =
      encapContentInfo.eContentType === ID_DATA ? contentOf(encapContentInfo.eContent) : undefined;
    if (signer === undefined || signerInfos.length !== 1 || content === undefined) return undefined;
    const attributes = checkedAttributes(signer, content);
    if (attributes === undefined) return undefined;
    const signature = Buffer.from(signer.signature.buffer);
    return { content, isSignedBy: (certificate) => verifies(certificate, attributes, signature) };
  } catch {
    // The parsers throw at whatever is malformed.
    return undefined;
  }
}

type EncapsulatedContent = SignedData['encapContentInfo']['eContent'];

/** EC2 writes the content in pieces of indefinite length, which the schema's own type does not join. */
function contentOf(encapsulated: EncapsulatedContent): Buffer | undefined {
  if (encapsulated?.single !== undefined) return Buffer.from(encapsulated.single.buffer);
  if (encapsulated?.any === undefined) return undefined;
  const { result, offset } = fromBER(encapsulated.any);
  if (offset === -1 || !(result instanceof OctetString)) return undefined;
  return Buffer.from(result.getValue());
}

/** The signed attributes in DER, if they are about this content. */
function checkedAttributes(signer: SignerInfo, content: Buffer): Buffer | undefined {
  const { signedAttrs, digestAlgorithm, signatureAlgorithm } = signer;
  if (digestAlgorithm.algorithm !== SHA256 || !RSA_SIGNATURES.has(signatureAlgorithm.algorithm))
    return undefined;
  const digests = signedAttrs?.filter(({ attrType }) => attrType === ID_MESSAGE_DIGEST) ?? [];
  const [value, ...others] = digests.flatMap(({ attrValues }) => attrValues);
  if (signedAttrs === undefined || value === undefined || others.length > 0) return undefined;
  const digest = Buffer.from(AsnConvert.parse(value, OctetStringValue).buffer);
  if (!digest.equals(createHash('sha256').update(content).digest())) return undefined;
  return Buffer.from(AsnConvert.serialize(new SignedAttributeSet(signedAttrs)));
}

function verifies(certificate: X509Certificate, attributes: Buffer, signature: Buffer): boolean {
  return (
    certificate.publicKey.asymmetricKeyType === 'rsa' &&
    verify('sha256', attributes, certificate.publicKey, signature)
  );
}

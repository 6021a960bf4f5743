import type { SignedStatement } from '@tagplane/credentials';
import type { Signature } from '@tagplane/protocol';

/**
 * Reads the signatures of one stream: the signer's certificates come with the first, and again when they
 * change.
 */
export class SignatureReader {
  #certificates: readonly Uint8Array[] = [];

  /** Undefined: there is none. */
  read(signature: Signature | undefined): SignedStatement | undefined {
    if (signature === undefined) return undefined;
    if (signature.certificates.length > 0) this.#certificates = shared(signature.certificates);
    const { statement, signature: bytes, proof } = signature;
    const signed = { statement, signature: bytes, certificates: this.#certificates };
    return proof === undefined
      ? signed
      : { ...signed, proof: { position: proof.position, hashes: proof.hashes } };
  }
}

/** As many auth processes sign for the agents of one process, and what each had before. */
const MAX_SHARED = 32;
const known = new Map<string, readonly Uint8Array[]>();

/** Equal certificates as one list: the agents of one process are sent the same. */
function shared(certificates: readonly Uint8Array[]): readonly Uint8Array[] {
  const text = certificates.map((each) => Buffer.from(each).toString('base64')).join();
  const found = known.get(text);
  if (found !== undefined) return found;
  const [oldest] = known.keys();
  if (known.size >= MAX_SHARED && oldest !== undefined) known.delete(oldest);
  // Copies: a message's bytes are a piece of the buffer that it came in.
  const copies = certificates.map((each) => Uint8Array.from(each));
  known.set(text, copies);
  return copies;
}

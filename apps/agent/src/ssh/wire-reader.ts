/** The certificate is not what it should be. The message is one line, for a log. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
}

const LENGTH_BYTES = 4;
const UINT64_BYTES = 8;

/** Reads SSH's wire format (RFC 4251, section 5) from the front; every length is checked first. */
export class WireReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Whether everything was read. */
  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** @throws CertificateError naming `what` when fewer bytes are left than it says */
  string(what: string): Buffer {
    const length = this.uint32(what);
    return this.#take(length, what);
  }

  /** A string that is UTF-8. */
  text(what: string): string {
    const bytes = this.string(what);
    const text = bytes.toString('utf8');
    // What is no UTF-8 is decoded to something that is not encoded to the same bytes.
    if (!Buffer.from(text, 'utf8').equals(bytes)) throw new CertificateError(`${what} is not UTF-8`);
    return text;
  }

  uint32(what: string): number {
    return this.#take(LENGTH_BYTES, what).readUInt32BE();
  }

  uint64(what: string): bigint {
    return this.#take(UINT64_BYTES, what).readBigUInt64BE();
  }

  /** @throws CertificateError when something is left */
  end(what: string): void {
    if (!this.done) throw new CertificateError(`${what} is followed by something else`);
  }

  #take(length: number, what: string): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new CertificateError(`${what} is cut off`);
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

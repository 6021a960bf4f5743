const FIRST_BYTES = 1024 * 1024;
/** A thousand instances take 5 MB, and with all the tags and interfaces that they can have, 60. */
const MAX_BYTES = 256 * 1024 * 1024;
/** Fresh memory costs as much as copying into it: what a page needed, the next one gets. */
const MAX_KEPT = 4;
const MAX_KEPT_BYTES = 16 * 1024 * 1024;
const kept: Buffer[] = [];

/** A body as it arrives, in one piece of memory that grows. Nothing may use it after its disposal. */
export class AnswerBytes {
  #bytes = kept.pop() ?? Buffer.allocUnsafeSlow(FIRST_BYTES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Its first `length` bytes are the body's. */
  get buffer(): Buffer {
    return this.#bytes;
  }

  /** @throws RangeError when it gets too long to be an answer */
  append(chunk: Uint8Array): void {
    const length = this.#length + chunk.byteLength;
    if (length > MAX_BYTES) throw new RangeError(`an answer of more than ${MAX_BYTES} bytes`);
    if (length > this.#bytes.byteLength) {
      // Doubled, so that each byte is copied once more on the average.
      const grown = Buffer.allocUnsafeSlow(Math.max(length, this.#bytes.byteLength * 2));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(chunk, this.#length);
    this.#length = length;
  }

  /** The body so far. */
  whole(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  [Symbol.dispose](): void {
    if (kept.length < MAX_KEPT && this.#bytes.byteLength <= MAX_KEPT_BYTES) kept.push(this.#bytes);
  }
}

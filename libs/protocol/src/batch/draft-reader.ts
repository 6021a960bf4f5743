import { fromBinary } from '@bufbuild/protobuf';
import { parseInstanceKey, parseServerId } from '@tagplane/identity';
import type { Match, ServerInfoDraft } from '@tagplane/serverinfo';
import { draftFromMessage } from '../convert.ts';
import { ServerInfoSchema } from '../gen/tagplane/v1/serverinfo_pb.ts';
import { Tag } from './tags.ts';

/**
 * Reads an encoded ServerInfo as `draftFromMessage` does, but straight from its bytes: by way of a message
 * it takes eight times as long. Undefined when the match is malformed; throws when the bytes are no
 * ServerInfo.
 */
export function decodeDraft(bytes: Uint8Array): ServerInfoDraft | undefined {
  try {
    return new PlainReader(bytes).draft();
  } catch (error) {
    if (!(error instanceof NotPlainError)) throw error;
    return draftFromMessage(fromBinary(ServerInfoSchema, bytes));
  }
}

/** Something that no writer of drafts sends, malformed bytes included: the library's to judge. */
class NotPlainError extends Error {
  override readonly name = 'NotPlainError';
}

/** Seven bytes of seven bits are exact in a double: enough for lengths, seconds and nanoseconds. */
const VARINT_BOUND = 2 ** 49;

/** Of each of four bytes, the bit that no ASCII character has. */
const HIGH_BITS = 0x80_80_80_80 | 0;

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads a ServerInfo in which only a draft's fields are set, and none but the labels more than once. */
class PlainReader {
  readonly #bytes: Buffer;
  readonly #words: DataView;
  /** Each byte as a character: cutting a text out of it is faster than decoding it. */
  readonly #characters: string;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#characters = this.#bytes.toString('latin1');
  }

  draft(): ServerInfoDraft | undefined {
    const labels = new Map<string, string>();
    let name: string | undefined;
    let match: { readonly value: Match | undefined } | undefined;
    let observedAt: number | undefined;
    let ttlMs: number | undefined;
    while (this.#at < this.#bytes.length) {
      const tag = this.#bytes[this.#at++];
      if (tag === Tag.label) this.#label(labels);
      else if (tag === Tag.name && name === undefined) name = this.#text();
      else if (tag === Tag.match && match === undefined) match = { value: this.#match() };
      else if (tag === Tag.observedAt && observedAt === undefined) observedAt = this.#time();
      else if (tag === Tag.ttl && ttlMs === undefined) ttlMs = this.#time();
      else throw new NotPlainError();
    }
    if (match?.value === undefined) return undefined;
    return { name: name ?? '', match: match.value, labels, observedAt, ttlMs };
  }

  #label(labels: Map<string, string>): void {
    const end = this.#end();
    const key = this.#optional(Tag.key, end);
    labels.set(key, this.#optional(Tag.value, end));
    this.#expect(end);
  }

  #match(): Match | undefined {
    const end = this.#end();
    if (this.#at === end) return undefined;
    if (this.#bytes[this.#at] === Tag.serverId) {
      const serverId = parseServerId(this.#optional(Tag.serverId, end));
      this.#expect(end);
      return serverId && { kind: 'server-id', serverId };
    }
    if (this.#bytes[this.#at++] !== Tag.awsInstance) throw new NotPlainError();
    const inner = this.#end();
    if (inner !== end) throw new NotPlainError();
    const account = this.#optional(Tag.accountId, end);
    const region = this.#optional(Tag.region, end);
    const instance = parseInstanceKey({ account, region, instance: this.#optional(Tag.instanceId, end) });
    this.#expect(end);
    return instance && { kind: 'aws-instance', instance };
  }

  /** A Timestamp or a Duration, in milliseconds. */
  #time(): number {
    const end = this.#end();
    const seconds = this.#at < end && this.#bytes[this.#at] === Tag.seconds ? this.#number() : 0;
    const nanos = this.#at < end && this.#bytes[this.#at] === Tag.nanos ? this.#number() : 0;
    this.#expect(end);
    // More are negative in the message, where they are 32 bits.
    if (nanos > 0x7f_ff_ff_ff) throw new NotPlainError();
    return seconds * 1_000 + Math.round(nanos / 1_000_000);
  }

  #number(): number {
    this.#at += 1;
    return this.#varint();
  }

  /** A text with this tag, if it comes next; empty otherwise. */
  #optional(tag: number, end: number): string {
    if (this.#at >= end || this.#bytes[this.#at] !== tag) return '';
    this.#at += 1;
    return this.#text();
  }

  #text(): string {
    const end = this.#end();
    const from = this.#at;
    this.#at = end;
    if (this.#isAscii(from, end)) return this.#characters.slice(from, end);
    return decodeUtf8(this.#bytes.subarray(from, end));
  }

  #isAscii(from: number, end: number): boolean {
    const words = this.#words;
    let bits = 0;
    let index = from;
    // Four bytes at a time: this loop passes over every byte of every label.
    for (; index + 4 <= end; index += 4) bits |= words.getInt32(index);
    for (; index < end; index += 1) bits |= words.getInt8(index);
    return (bits & HIGH_BITS) === 0;
  }

  /** Reads a length; where what has it ends. */
  #end(): number {
    const first = this.#bytes[this.#at] ?? 0xff;
    let length = first;
    if (first < 0x80) this.#at += 1;
    else length = this.#varint();
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new NotPlainError();
    return end;
  }

  #varint(): number {
    let value = 0;
    for (let place = 1; place < VARINT_BOUND; place *= 0x80) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) break;
      if (byte < 0x80) return value + byte * place;
      value += (byte - 0x80) * place;
    }
    throw new NotPlainError();
  }

  #expect(end: number): void {
    if (this.#at !== end) throw new NotPlainError();
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw new NotPlainError();
  }
}

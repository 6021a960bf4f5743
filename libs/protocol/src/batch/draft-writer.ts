import { toBinary } from '@bufbuild/protobuf';
import { instanceKeyText } from '@tagplane/identity';
import type { Match, ServerInfoDraft } from '@tagplane/serverinfo';
import { draftToMessage } from '../convert.ts';
import { ServerInfoSchema } from '../gen/tagplane/v1/serverinfo_pb.ts';
import { Tag } from './tags.ts';

const CHUNK_BYTES = 128 * 1_024;
/** A text of this length or more is copied by the runtime; a shorter one is faster byte by byte. */
const LONG_TEXT = 16;
/** Tags, lengths and times of one item, and those of one label. */
const ITEM_OVERHEAD = 128;
const LABEL_OVERHEAD = 16;

/**
 * Each draft as an encoded ServerInfo, the same message as `draftToMessage` makes. Written straight from
 * the draft: by way of messages it takes eight times as long.
 */
export function encodeDrafts(drafts: readonly ServerInfoDraft[]): Uint8Array[] {
  const writer = new DraftWriter();
  return drafts.map((draft) =>
    isPlainDraft(draft) ? writer.encode(draft) : toBinary(ServerInfoSchema, draftToMessage(draft)),
  );
}

/** What discovery sends by the hundred thousand. */
type PlainDraft = ServerInfoDraft & { readonly match: Exclude<Match, { readonly kind: 'selector' }> };

function isPlainDraft(draft: ServerInfoDraft): draft is PlainDraft {
  return (
    isPlain(draft.observedAt) &&
    isPlain(draft.ttlMs) &&
    draft.match.kind !== 'selector' &&
    draft.expectedRevision === undefined &&
    draft.rejected === undefined
  );
}

/** Times before 1970 and fractions are left to the library. */
function isPlain(ms: number | undefined): boolean {
  return ms === undefined || (Number.isSafeInteger(ms) && ms >= 0);
}

/** Writes items one behind the other into shared chunks. */
class DraftWriter {
  #bytes = Buffer.alloc(0);
  #at = 0;

  encode(draft: PlainDraft): Uint8Array {
    this.#makeRoom(mostBytes(draft));
    const start = this.#at;
    if (draft.name !== '') this.#text(Tag.name, draft.name);
    this.#match(draft.match);
    for (const [key, value] of draft.labels) {
      const entry = this.#open(Tag.label);
      this.#text(Tag.key, key);
      this.#text(Tag.value, value);
      this.#close(entry);
    }
    if (draft.observedAt !== undefined) this.#time(Tag.observedAt, draft.observedAt);
    if (draft.ttlMs !== undefined) this.#time(Tag.ttl, draft.ttlMs);
    return this.#bytes.subarray(start, this.#at);
  }

  #makeRoom(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(bytes, CHUNK_BYTES));
    this.#at = 0;
  }

  #match(match: PlainDraft['match']): void {
    const outer = this.#open(Tag.match);
    if (match.kind === 'aws-instance') {
      const inner = this.#open(Tag.awsInstance);
      this.#text(Tag.accountId, match.instance.account);
      this.#text(Tag.region, match.instance.region);
      this.#text(Tag.instanceId, match.instance.instance);
      this.#close(inner);
    } else {
      this.#text(Tag.serverId, match.serverId);
    }
    this.#close(outer);
  }

  /** A Timestamp or a Duration: whole seconds, and the rest in nanoseconds. */
  #time(tag: number, ms: number): void {
    const message = this.#open(tag);
    const seconds = Math.floor(ms / 1_000);
    if (seconds > 0) this.#number(Tag.seconds, seconds);
    const nanos = (ms - seconds * 1_000) * 1_000_000;
    if (nanos > 0) this.#number(Tag.nanos, nanos);
    this.#close(message);
  }

  #number(tag: number, value: number): void {
    this.#bytes[this.#at++] = tag;
    this.#varint(value);
  }

  #text(tag: number, text: string): void {
    const bytes = this.#bytes;
    bytes[this.#at++] = tag;
    const lengthAt = this.#at;
    // Right for ASCII, and nearly always for other text.
    const guess = varintBytes(text.length);
    const start = lengthAt + guess;
    const written = text.length < LONG_TEXT ? writeShort(bytes, text, start) : bytes.write(text, start);
    const needed = varintBytes(written);
    if (needed !== guess) bytes.copyWithin(lengthAt + needed, start, start + written);
    this.#varint(written);
    this.#at += written;
  }

  /** Begins a message whose length is written when it is closed, into one byte if it fits. */
  #open(tag: number): number {
    this.#bytes[this.#at] = tag;
    this.#at += 2;
    return this.#at;
  }

  #close(start: number): void {
    const length = this.#at - start;
    const extra = varintBytes(length) - 1;
    if (extra > 0) this.#bytes.copyWithin(start + extra, start, this.#at);
    this.#at = start - 1;
    this.#varint(length);
    this.#at += length;
  }

  #varint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#at++] = rest;
  }
}

function writeShort(bytes: Buffer, text: string, start: number): number {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return bytes.write(text, start);
    bytes[start + index] = code;
  }
  return text.length;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}

/** No UTF-16 unit takes more than three bytes. */
function mostBytes({ name, match, labels }: PlainDraft): number {
  const target = match.kind === 'aws-instance' ? instanceKeyText(match.instance) : match.serverId;
  let units = name.length + target.length;
  for (const [key, value] of labels) units += key.length + value.length + LABEL_OVERHEAD;
  return ITEM_OVERHEAD + 3 * units;
}

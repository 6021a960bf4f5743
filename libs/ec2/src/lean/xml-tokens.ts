/** What `XmlTokens.next` came upon. */
export const TOKEN = {
  /** The bytes end before the token does. */
  more: 0,
  /** `<name …>`; it is on the stack now. */
  open: 1,
  /** `<name …/>`. */
  empty: 2,
  /** `</name>` of the element on top of the stack; it is off the stack now. */
  close: 3,
  /** Text up to the next `<`, references not resolved. */
  text: 4,
  /** The content of a CDATA section. */
  cdata: 5,
  /** Not well-formed, or of a kind that answers of EC2 do not have. */
  odd: 6,
} as const;

export type Token = (typeof TOKEN)[keyof typeof TOKEN];

/** Real answers have a dozen levels. */
const MAX_DEPTH = 256;
/** An unfinished token is looked at again with every new chunk: a long one is left to others. */
const MAX_TOKEN_BYTES = 1024 * 1024;

const LESS = 0x3c;
const GREATER = 0x3e;
const SLASH = 0x2f;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const APOSTROPHE = 0x27;
const BANG = 0x21;
const QUESTION = 0x3f;

/** 1 for a byte of a name: letters, digits, `_:-.`, and all of UTF-8 beyond ASCII. */
const NAME = bytesIn((character, byte) => byte > 0x7f || /[A-Za-z0-9_:.-]/.test(character));
const BLANK = bytesIn((character) => /[ \t\r\n]/.test(character));
const COMMENT = '<!--';
const COMMENT_END = '-->';
const CDATA = '<![CDATA[';
const CDATA_END = ']]>';
/** Instead of a place in the document. */
const UNFINISHED = -1;
const NONE = -2;

/**
 * Well-formed elements, text and CDATA sections of a document that grows, byte by byte and without
 * making anything of them; comments and processing instructions are passed over. After `more`, the same
 * token is tried again from its beginning.
 */
export class XmlTokens {
  /** Where the last token's name or text is. */
  start = 0;
  end = 0;
  /** Where the attributes of the last open or empty element end; they begin at `end`, as it does without. */
  attributesEnd = 0;
  /** Open elements around the next token. */
  depth = 0;
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;
  #at = 0;
  readonly #starts = new Int32Array(MAX_DEPTH);
  readonly #lengths = new Int32Array(MAX_DEPTH);

  /** All bytes of the document so far: those that were there before must be the same. */
  feed(bytes: Buffer, length: number): void {
    this.#bytes = bytes;
    this.#length = length;
  }

  /** How far the document is read. */
  get at(): number {
    return this.#at;
  }

  next(): Token {
    return this.#bounded(this.#read());
  }

  /** Passes over everything up to the end of the open element at this depth, from 1. */
  pass(depth: number): Token {
    for (;;) {
      this.#at = this.#textEnd(this.#at);
      const token = this.#read();
      if (token === TOKEN.more || token === TOKEN.odd) return this.#bounded(token);
      if (token === TOKEN.close && this.depth < depth) return token;
    }
  }

  #bounded(token: Token): Token {
    return token === TOKEN.more && this.#length - this.#at > MAX_TOKEN_BYTES ? TOKEN.odd : token;
  }

  /** Whether the bytes are this text. */
  is(name: Uint8Array): boolean {
    const bytes = this.#bytes;
    const start = this.start;
    if (this.end - start !== name.length) return false;
    for (let index = 0; index < name.length; index += 1) {
      if (bytes[start + index] !== name[index]) return false;
    }
    return true;
  }

  /** Whether the last text is white space only. */
  get isBlank(): boolean {
    return this.#skipBlank(this.start) >= this.end;
  }

  #read(): Token {
    const bytes = this.#bytes;
    for (;;) {
      const at = this.#at;
      if (at >= this.#length) return TOKEN.more;
      if (bytes[at] !== LESS) return this.#text(at);
      if (at + 1 >= this.#length) return TOKEN.more;
      const next = bytes[at + 1];
      if (next === SLASH) return this.#close(at + 2);
      if (next !== BANG && next !== QUESTION) return this.#open(at + 1);
      const token = next === BANG ? this.#declaration(at) : this.#passed(at + 2, '?>');
      if (token !== undefined) return token;
    }
  }

  #text(from: number): Token {
    const at = this.#textEnd(from);
    return at >= this.#length ? TOKEN.more : this.#found(TOKEN.text, from, at, at);
  }

  #textEnd(from: number): number {
    const bytes = this.#bytes;
    const length = this.#length;
    let at = from;
    while (at < length && bytes[at] !== LESS) at += 1;
    return at;
  }

  #open(start: number): Token {
    const bytes = this.#bytes;
    const length = this.#length;
    let at = start;
    while (NAME[bytes[at] ?? 0] === 1) at += 1;
    if (at >= length) return TOKEN.more;
    const end = at;
    if (end === start) return TOKEN.odd;
    this.attributesEnd = end;
    if (bytes[at] !== GREATER && bytes[at] !== SLASH) {
      at = this.#attributes(at);
      if (at < 0) return at === UNFINISHED ? TOKEN.more : TOKEN.odd;
    }
    if (bytes[at] === SLASH) {
      if (at + 1 >= length) return TOKEN.more;
      return bytes[at + 1] === GREATER ? this.#found(TOKEN.empty, start, end, at + 2) : TOKEN.odd;
    }
    if (this.depth >= MAX_DEPTH) return TOKEN.odd;
    this.#starts[this.depth] = start;
    this.#lengths[this.depth] = end - start;
    this.depth += 1;
    return this.#found(TOKEN.open, start, end, at + 1);
  }

  /** @returns where `>` or `/` is; negative for none */
  #attributes(from: number): number {
    const bytes = this.#bytes;
    const length = this.#length;
    for (let at = from; ;) {
      const blank = this.#skipBlank(at);
      if (blank >= length) return UNFINISHED;
      if (bytes[blank] === GREATER || bytes[blank] === SLASH) return blank;
      if (blank === at) return NONE;
      at = blank;
      while (NAME[bytes[at] ?? 0] === 1) at += 1;
      if (at === blank) return NONE;
      at = this.#skipBlank(at);
      if (at >= length) return UNFINISHED;
      if (bytes[at] !== EQUALS) return NONE;
      at = this.#skipBlank(at + 1);
      if (at >= length) return UNFINISHED;
      const quote = bytes[at];
      if (quote !== QUOTE && quote !== APOSTROPHE) return NONE;
      at += 1;
      while (at < length && bytes[at] !== quote) at += 1;
      if (at >= length) return UNFINISHED;
      at += 1;
      this.attributesEnd = at;
    }
  }

  #close(start: number): Token {
    const bytes = this.#bytes;
    const length = this.#length;
    const top = this.depth - 1;
    if (top < 0) return TOKEN.odd;
    const open = this.#starts[top] ?? 0;
    const size = this.#lengths[top] ?? 0;
    if (start + size >= length) return TOKEN.more;
    for (let index = 0; index < size; index += 1) {
      if (bytes[start + index] !== bytes[open + index]) return TOKEN.odd;
    }
    const end = start + size;
    const at = bytes[end] === GREATER ? end : this.#skipBlank(end);
    if (at >= length) return TOKEN.more;
    if (bytes[at] !== GREATER) return TOKEN.odd;
    this.depth = top;
    return this.#found(TOKEN.close, start, end, at + 1);
  }

  /** A comment is passed over (undefined); of the others, only CDATA within an element is known. */
  #declaration(at: number): Token | undefined {
    if (this.#hasAt(at, COMMENT)) return this.#passed(at + COMMENT.length, COMMENT_END);
    if (this.#hasAt(at, CDATA)) {
      const start = at + CDATA.length;
      const end = this.#find(start, CDATA_END);
      if (end < 0) return TOKEN.more;
      return this.depth > 0 ? this.#found(TOKEN.cdata, start, end, end + CDATA_END.length) : TOKEN.odd;
    }
    return this.#length - at < CDATA.length ? TOKEN.more : TOKEN.odd;
  }

  /** Goes on after `mark`: undefined if it is there. */
  #passed(from: number, mark: string): Token | undefined {
    const end = this.#find(from, mark);
    if (end < 0) return TOKEN.more;
    // `<!-->`, `<!--->` and `<?>` have no end of their own: readers differ.
    if (this.#hasAt(from, '>') || (mark === COMMENT_END && this.#hasAt(from, '->'))) return TOKEN.odd;
    this.#at = end + mark.length;
    return undefined;
  }

  #found(token: Token, start: number, end: number, next: number): Token {
    this.start = start;
    this.end = end;
    this.#at = next;
    return token;
  }

  #skipBlank(from: number): number {
    const bytes = this.#bytes;
    const length = this.#length;
    let at = from;
    while (at < length && BLANK[bytes[at] ?? 0] === 1) at += 1;
    return at;
  }

  #hasAt(at: number, text: string): boolean {
    return this.#length - at >= text.length && this.#bytes.toString('latin1', at, at + text.length) === text;
  }

  #find(from: number, text: string): number {
    const at = this.#bytes.indexOf(text, from, 'latin1');
    return at + text.length > this.#length ? -1 : at;
  }
}

function bytesIn(isOne: (character: string, byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (isOne(String.fromCharCode(byte), byte) ? 1 : 0));
}

import { AnswerBuilder } from './answer-builder.ts';
import type { DescribedAnswer } from './described.ts';
import { ROOT } from './places.ts';
import type { Place } from './places.ts';
import { resolveText } from './xml-text.ts';
import { TOKEN, XmlTokens } from './xml-tokens.ts';

/**
 * `more`: the document goes on. `odd`: it is not well-formed, or has what answers of EC2 do not have; a
 * full parser may do better. `refused`: a full parser would make something of it, and lose a part.
 */
export type ScanState =
  { readonly is: 'more' } | { readonly is: 'odd' } | { readonly is: 'refused'; readonly reason: string };

export type ScanResult =
  { readonly is: 'complete'; readonly answer: DescribedAnswer } | Exclude<ScanState, { is: 'more' }>;

const MORE: ScanState = { is: 'more' };
const ODD: ScanState & ScanResult = { is: 'odd' };
/** Namespaces of the root name no child, as other attributes might. */
const NAMESPACES = /^(?:\s+xmlns(?::[\w.-]+)?\s*=\s*(?:"[^"]*"|'[^']*'))*\s*$/;

/**
 * Reads a DescribeInstances answer as it arrives, in one pass over its bytes: the elements of `ROOT`, in
 * any order, each by its full path. Everything else is passed over, but must be well-formed.
 */
export class AnswerScan {
  readonly #tokens = new XmlTokens();
  readonly #builder = new AnswerBuilder();
  /** From the root; the innermost one is being read. */
  readonly #places: Place[] = [];
  /** By depth, the bits of the children that were there. */
  readonly #seen: number[] = [];
  /** The depth of the unknown element that is being passed over, from 1. */
  #passing = 0;
  #text = '';
  #rootIsOver = false;
  #bytes: Buffer = Buffer.alloc(0);
  #end: ScanState | undefined;

  /** Reads on: the first `length` bytes, of which those known already are the same as before. */
  advance(bytes: Buffer, length: number): ScanState {
    if (this.#end !== undefined) return this.#end;
    this.#bytes = bytes;
    this.#tokens.feed(bytes, length);
    for (;;) {
      const state = this.#step();
      if (state === undefined) continue;
      if (state.is !== 'more') this.#end = state;
      return state;
    }
  }

  /** The document ends here. */
  finish(length: number): ScanResult {
    if (this.#end !== undefined && this.#end.is !== 'more') return this.#end;
    const rest = this.#bytes.toString('latin1', this.#tokens.at, length);
    if (!this.#rootIsOver || /[^ \t\r\n]/.test(rest)) return ODD;
    return { is: 'complete', answer: this.#builder.answer };
  }

  /** @returns undefined to go on */
  #step(): ScanState | undefined {
    const isPassing = this.#passing > 0;
    switch (isPassing ? this.#tokens.pass(this.#passing) : this.#tokens.next()) {
      case TOKEN.open:
        return this.#open(false);
      case TOKEN.empty:
        return this.#open(true);
      case TOKEN.close:
        if (isPassing) this.#passing = 0;
        else this.#close();
        return undefined;
      case TOKEN.text:
        return this.#characters(true);
      case TOKEN.cdata:
        return this.#characters(false);
      case TOKEN.more:
        return MORE;
      default:
        return ODD;
    }
  }

  #open(isEmpty: boolean): ScanState | undefined {
    const parent = this.#places.at(-1);
    if (parent?.isText === true) return ODD;
    const place = parent === undefined ? this.#root() : this.#child(parent);
    if (place === undefined) {
      if (parent === undefined) return ODD;
      if (!isEmpty) this.#passing = this.#tokens.depth;
      return undefined;
    }
    const { attributesEnd, end } = this.#tokens;
    if (attributesEnd > end && !this.#hasNamespacesOnly(place)) return ODD;
    const depth = this.#places.length;
    if (((this.#seen[depth] ?? 0) & place.bit) !== 0) return { is: 'refused', reason: `${place.id} twice` };
    this.#seen[depth] = (this.#seen[depth] ?? 0) | place.bit;
    this.#seen[depth + 1] = 0;
    this.#builder.begin(place.id);
    this.#text = '';
    if (!isEmpty) this.#places.push(place);
    else this.#over(place, depth);
    return undefined;
  }

  #close(): void {
    const place = this.#places.pop();
    if (place !== undefined) this.#over(place, this.#places.length);
  }

  #over(place: Place, depth: number): void {
    if (depth === 0) this.#rootIsOver = true;
    if (!place.isText) return;
    // White space with a line end is the document's own, made for the eye; so the SDK has it.
    const isLayout = this.#text.includes('\n') && this.#text.trim() === '';
    this.#builder.text(place.id, isLayout ? '' : this.#text);
  }

  /** @param hasReferences what they stand for takes their place; in CDATA there are none */
  #characters(hasReferences: boolean): ScanState | undefined {
    const { start, end, isBlank } = this.#tokens;
    const place = this.#places.at(-1);
    if (place === undefined) return isBlank ? undefined : ODD;
    if (!place.isText)
      return isBlank && hasReferences ? undefined : { is: 'refused', reason: `text in ${place.id}` };
    const raw = this.#bytes.toString('utf8', start, end);
    const text = hasReferences ? resolveText(raw) : raw.replace(/\r\n?/g, '\n');
    if (text === undefined) return { is: 'refused', reason: `an unknown reference in ${place.id}` };
    this.#text += text;
    return undefined;
  }

  #root(): Place | undefined {
    return !this.#rootIsOver && this.#tokens.is(ROOT.name) ? ROOT : undefined;
  }

  #child(parent: Place): Place | undefined {
    for (const child of parent.children) if (this.#tokens.is(child.name)) return child;
    return undefined;
  }

  #hasNamespacesOnly(place: Place): boolean {
    const { end, attributesEnd } = this.#tokens;
    return place === ROOT && NAMESPACES.test(this.#bytes.toString('latin1', end, attributesEnd));
  }
}

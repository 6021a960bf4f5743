import { compileSelector } from './compile-selector.ts';
import { compilePattern } from './pattern.ts';
import { SelectorError } from './selector-error.ts';
import { SelectorReader } from './selector-reader.ts';
import type { Token } from './selector-reader.ts';
import type { Selector, SelectorTerm } from './selector.ts';

/** Longer ones come in parts, from a file. */
export const MAX_SELECTOR_TEXT = 16 * 1024;

/**
 * Reads the text form: `aws/env=prod, aws/team=[db, web-*], aws/name=^web-[0-9]+$`. docs/selectors.md has the
 * grammar.
 *
 * @throws SelectorError whose text is the whole text
 */
export function parseSelector(text: string): Selector {
  if (text.length > MAX_SELECTOR_TEXT) {
    throw new SelectorError(
      `a selector has at most ${MAX_SELECTOR_TEXT} characters`,
      text,
      MAX_SELECTOR_TEXT,
    );
  }
  const reader = new SelectorReader(text);
  const keys = new Map<string, Token>();
  const terms: SelectorTerm[] = [];
  do {
    const key = reader.key();
    if (keys.has(key.value)) {
      throw reader.error(
        'this key has a term already; for any of several values write key=[a, b]',
        key.at(0),
      );
    }
    keys.set(key.value, key);
    reader.expect('=', 'after a key comes = and its value');
    terms.push({ key: key.value, values: readValues(reader, key) });
  } while (reader.skip(','));
  reader.end();
  return checked(text, { terms }, keys);
}

function readValues(reader: SelectorReader, key: Token): string[] {
  const tokens = reader.skip('[') ? readList(reader) : [reader.value(false)];
  for (const token of tokens) checkPattern(reader, token);
  const wrong = key.value === '*' ? tokens.find(({ value }) => value !== '*') : undefined;
  if (wrong !== undefined) throw reader.error('the key * has only the value *, for every node', wrong.at(0));
  return tokens.map(({ value }) => value);
}

function readList(reader: SelectorReader): Token[] {
  const tokens: Token[] = [];
  do tokens.push(reader.value(true));
  while (reader.skip(','));
  reader.expect(']', 'a list of values ends with ]');
  return tokens;
}

function checkPattern(reader: SelectorReader, token: Token): void {
  try {
    compilePattern(token.value);
  } catch (error) {
    if (error instanceof SelectorError) throw reader.error(error.problem, token.at(error.position));
    throw error;
  }
}

/** What holds for it as a whole is checked where it is compiled; the place is that of the key it names. */
function checked(text: string, selector: Selector, keys: ReadonlyMap<string, Token>): Selector {
  try {
    compileSelector(selector);
    return selector;
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    throw new SelectorError(error.problem, text, keys.get(error.text)?.at(0) ?? 0);
  }
}

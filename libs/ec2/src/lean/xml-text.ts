const NAMED: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);
const REFERENCE = /&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|([a-zA-Z][a-zA-Z0-9]{0,30}));/g;
const LAST_CHARACTER = 0x10ffff;

/**
 * Text of a document with its line ends made one, and its references resolved.
 *
 * @returns undefined if one of them stands for nothing, or an `&` begins none
 */
export function resolveText(raw: string): string | undefined {
  const text = raw.includes('\r') ? raw.replace(/\r\n?/g, '\n') : raw;
  if (!text.includes('&')) return text;
  let resolved = '';
  let at = 0;
  for (const match of text.matchAll(REFERENCE)) {
    const between = text.slice(at, match.index);
    const character = characterOf(match);
    if (character === undefined || between.includes('&')) return undefined;
    resolved += between + character;
    at = match.index + match[0].length;
  }
  const rest = text.slice(at);
  return rest.includes('&') ? undefined : resolved + rest;
}

function characterOf([, hexadecimal, decimal, name]: RegExpMatchArray): string | undefined {
  if (name !== undefined) return NAMED.get(name);
  const code = hexadecimal === undefined ? Number(decimal) : Number.parseInt(hexadecimal, 16);
  return code <= LAST_CHARACTER ? String.fromCodePoint(code) : undefined;
}

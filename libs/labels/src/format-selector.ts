import type { Selector, SelectorTerm } from './selector.ts';

/** The text form, of which `parseSelector` makes an equal selector. */
export function formatSelector(selector: Selector): string {
  return selector.terms.map(formatTerm).join(', ');
}

function formatTerm({ key, values }: SelectorTerm): string {
  const [only] = values;
  const formatted = values.length === 1 && only !== undefined ? formatValue(only) : formatList(values);
  return `${needsQuotes(key) ? JSON.stringify(key) : key}=${formatted}`;
}

function formatList(values: readonly string[]): string {
  return `[${values.map(formatValue).join(', ')}]`;
}

function formatValue(value: string): string {
  return (value.startsWith('^') ? !isPlainExpression(value) : needsQuotes(value))
    ? JSON.stringify(value)
    : value;
}

/** One that ends where the reader, which stops at a `$`, thinks that it does. */
function isPlainExpression(value: string): boolean {
  return value.indexOf('$') === value.length - 1 && !/\p{Cc}/u.test(value);
}

function needsQuotes(text: string): boolean {
  return text === '' || text !== text.trim() || /[,=[\]"\p{Cc}]/u.test(text);
}

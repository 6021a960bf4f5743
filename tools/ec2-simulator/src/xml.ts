const MARKUP = /[&<>"\r]/;
const ALL_MARKUP = /[&<>"\r]/g;
/**
 * What XML 1.0 cannot carry, not even as a reference (https://www.w3.org/TR/xml/#charsets): controls
 * but tab, newline and carriage return, two non-characters, and surrogates without a partner.
 */
// eslint cannot see that these controls are meant, so the class is spelled as a string.
const UNCARRIED = '\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\ufffe\\uffff\\ud800-\\udfff';
const ILLEGAL = new RegExp(`[${UNCARRIED}]`, 'u');
const ALL_ILLEGAL = new RegExp(`[${UNCARRIED}]`, 'gu');

/**
 * Text as XML content. A carriage return goes as a reference, since parsers turn a bare one into a
 * newline; what XML cannot carry becomes U+FFFD.
 */
export function escapeXml(text: string): string {
  const legal = ILLEGAL.test(text) ? text.replace(ALL_ILLEGAL, '\ufffd') : text;
  return MARKUP.test(legal) ? legal.replace(ALL_MARKUP, reference) : legal;
}

/** Whether `escapeXml` keeps every character of the text. */
export function isXmlText(text: string): boolean {
  return !ILLEGAL.test(text);
}

function reference(character: string): string {
  switch (character) {
    case '&':
      return '&amp;';
    case '<':
      return '&lt;';
    case '>':
      return '&gt;';
    case '"':
      return '&quot;';
    default:
      return '&#xD;';
  }
}

export const XML_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';

const flattened = new WeakMap<TemplateStringsArray, readonly string[]>();

/**
 * A template whose lines lose their indentation in the answer: it is for the reader of this source, and
 * would be half of a page's bytes. Values go in as they are; escape them first.
 */
export function xml(template: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  let parts = flattened.get(template);
  if (parts === undefined) {
    parts = template.map((part) => part.replace(/\n +/g, '\n'));
    flattened.set(template, parts);
  }
  let text = parts[0] ?? '';
  for (const [index, value] of values.entries()) text += String(value) + (parts[index + 1] ?? '');
  return text;
}

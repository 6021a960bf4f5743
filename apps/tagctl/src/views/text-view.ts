/** A text of the API, or null for none. */
export function textView(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : text;
}

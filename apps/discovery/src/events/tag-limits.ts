/** What one call of EC2's CreateTags takes. */
export const MAX_RESOURCES = 1_000;
/** 50 of the user's own, and those of AWS itself. */
export const MAX_TAGS = 200;

/** 128 characters, each of at most two UTF-16 units. */
export function isTagKey(text: string): boolean {
  return text !== '' && text.length <= 2 * 128;
}

/** 256 characters, each of at most two UTF-16 units. */
export function isTagValue(text: string): boolean {
  return text.length <= 2 * 256;
}

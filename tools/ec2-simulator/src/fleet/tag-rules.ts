import { AwsError, invalidValue } from '../aws-error.ts';
import { isXmlText } from '../xml.ts';

/** EC2 User Guide, "Tag restrictions". */
const MAX_TAGS = 50;
const MAX_KEY_CHARACTERS = 128;
const MAX_VALUE_CHARACTERS = 256;

/** Tags whose keys begin so are AWS's own: users can neither set nor remove them, and they count for nothing. */
export function isReservedKey(key: string): boolean {
  return /^aws:/i.test(key);
}

/** Throws AwsError when a user may not set this tag. */
export function checkUserTag(key: string, value: string): void {
  if (isReservedKey(key)) throw invalidValue("Tag keys starting with 'aws:' are reserved for internal use");
  checkTagText(key, value);
}

/** Throws AwsError when no tag can look like this, not even AWS's own. */
export function checkTagText(key: string, value: string): void {
  if (key === '') throw invalidValue('Tag key cannot be null or empty');
  if (characters(key) > MAX_KEY_CHARACTERS) {
    throw invalidValue(`Tag key exceeds the maximum length of ${MAX_KEY_CHARACTERS} characters`);
  }
  if (characters(value) > MAX_VALUE_CHARACTERS) {
    throw invalidValue(`Tag value exceeds the maximum length of ${MAX_VALUE_CHARACTERS} characters`);
  }
  if (!isXmlText(key) || !isXmlText(value)) {
    throw invalidValue('Tag keys and values must not contain control characters');
  }
}

/** Throws AwsError when a resource would have too many tags. */
export function checkTagCount(tags: ReadonlyMap<string, string>): void {
  let count = 0;
  for (const key of tags.keys()) if (!isReservedKey(key)) count += 1;
  if (count > MAX_TAGS) {
    throw new AwsError('TagLimitExceeded', 'The maximum number of Tags for a resource has been reached.');
  }
}

function characters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

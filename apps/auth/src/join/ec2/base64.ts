const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** Instance metadata breaks its base64 into lines; undefined for text that is none. */
export function decodeBase64(text: string): Buffer | undefined {
  const joined = text.replaceAll(/[\r\n]/g, '');
  return BASE64.test(joined) ? Buffer.from(joined, 'base64') : undefined;
}

/** A well-mixed 32-bit hash of two numbers: cheap, and the same on every machine. */
export function mix(a: number, b: number): number {
  let h = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x7f4a7c15, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
  return (h ^ (h >>> 15)) >>> 0;
}

/** A text's hash, to mix with. */
export function hashText(text: string): number {
  let h = text.length;
  for (let i = 0; i < text.length; i += 1) h = mix(h, text.charCodeAt(i));
  return h;
}

/** `digits` hexadecimal digits (at most 24) that follow from the salt. */
export function hexOf(salt: number, purpose: number, digits: number): string {
  let text = mix(salt, purpose).toString(16).padStart(8, '0');
  for (let n = 1; text.length < digits; n += 1) {
    text += mix(salt + n, purpose ^ (n * 0x51ed270b))
      .toString(16)
      .padStart(8, '0');
  }
  return text.slice(0, digits);
}

/** One of the choices, as the salt says. */
export function pick<T>(choices: readonly [T, ...T[]], salt: number, purpose: number): T {
  return choices[mix(salt, purpose) % choices.length] ?? choices[0];
}

import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SealError, openSecret, sealSecret } from './seal.ts';

const key = randomBytes(32);

describe('sealSecret and openSecret', () => {
  it('give back any text, and hide it', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 200 });
    fc.assert(
      fc.property(text, text, (secret, context) => {
        const sealed = sealSecret(secret, key, context);
        expect(sealed).toMatch(/^sealed-v1\.[\w-]{16}\.[\w-]{22,}$/);
        expect(openSecret(sealed, key, context)).toBe(secret);
      }),
    );
  });

  it('never seal the same text the same way twice', () => {
    expect(sealSecret('secret', key, 'x')).not.toBe(sealSecret('secret', key, 'x'));
  });

  it('refuse another key and another context, and name neither', () => {
    const sealed = sealSecret('secret', key, 'ca/prod');
    expect(() => openSecret(sealed, randomBytes(32), 'ca/prod')).toThrow(SealError);
    expect(() => openSecret(sealed, key, 'ca/test')).toThrow(SealError);
    const attempt = (): string => openSecret(sealed, key, 'ca/test');
    expect(attempt).toThrow('the key is not the one it was sealed with, or it was altered');
  });

  it('refuse a text of which anything was altered', () => {
    const sealed = sealSecret('a secret of some length', key, 'x');
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.constantFrom('A', 'B', '.', '', '-'), (at, put) => {
        const altered = sealed.slice(0, at) + put + sealed.slice(at + 1);
        // The last character's lowest bits mean nothing in base64.
        fc.pre(altered !== sealed && at < sealed.length - 1);
        expect(() => openSecret(altered, key, 'x')).toThrow(SealError);
      }),
    );
  });

  it.each(['', 'secret', 'sealed-v1', 'sealed-v1..', 'sealed-v2.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA'])(
    'refuse %j',
    (text) => {
      expect(() => openSecret(text, key, 'x')).toThrow('not a sealed text of a form known here');
    },
  );

  it('take keys of 32 bytes only', () => {
    expect(() => sealSecret('secret', randomBytes(16), 'x')).toThrow('a sealing key has 32 bytes');
    const sealed = sealSecret('secret', key, 'x');
    expect(() => openSecret(sealed, randomBytes(31), 'x')).toThrow('a sealing key has 32 bytes');
  });
});

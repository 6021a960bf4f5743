import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { encodeSigned, signedField } from './signed-field.ts';

const bytes = fc.uint8Array({ maxLength: 40 });
const signed = fc.record(
  {
    statement: bytes,
    signature: bytes,
    certificates: fc.array(bytes, { maxLength: 3 }),
    proof: fc.record({ position: fc.nat(), hashes: fc.array(bytes, { maxLength: 4 }) }),
  },
  { requiredKeys: ['statement', 'signature', 'certificates'] },
);

describe('a signed statement in a file', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(signed, (statement) => {
        const text = JSON.stringify(encodeSigned(statement));
        expect(signedField.parse(JSON.parse(text))).toEqual(statement);
      }),
    );
  });

  it.each([
    ['nothing', undefined],
    ['no base64', { statement: '%', signature: '', certificates: [] }],
    ['half a proof', { statement: '', signature: '', certificates: [], proof: { position: 1 } }],
    ['more', { statement: '', signature: '', certificates: [], other: 1 }],
  ])('is not %s', (_what, value) => {
    expect(signedField.safeParse(value).success).toBe(false);
  });
});

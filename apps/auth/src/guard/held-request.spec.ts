import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeHeldRequest, encodeHeldRequest, requestFingerprint } from './held-request.ts';
import type { HeldRequest } from './held-request.ts';

describe('a held request', () => {
  it('comes back byte for byte', () => {
    const upserts = fc.record({
      kind: fc.constant('upsert' as const),
      serverInfos: fc.array(fc.uint8Array({ maxLength: 40 })),
      createOnly: fc.boolean(),
    });
    const deletes = fc.record({ kind: fc.constant('delete' as const), names: fc.array(fc.string()) });
    fc.assert(
      fc.property(fc.oneof<fc.Arbitrary<HeldRequest>[]>(upserts, deletes), (request) => {
        expect(decodeHeldRequest(encodeHeldRequest(request))).toEqual(request);
      }),
    );
  });

  it('has a fingerprint by its content', () => {
    const print = (...names: string[]) => requestFingerprint(encodeHeldRequest({ kind: 'delete', names }));
    expect(print('a', 'b')).toBe(print('a', 'b'));
    expect(print('a', 'b')).not.toBe(print('ab'));
    expect(print('a')).toMatch(/^[0-9a-f]{32}$/);
  });

  it.each([
    '',
    '[]',
    '{"v":2,"kind":"delete","names":[]}',
    '{"v":1,"kind":"upsert","items":["%"],"create":true}',
  ])('of another form is none: %s', (value) => {
    expect(decodeHeldRequest(value)).toBeUndefined();
  });
});

import { describe, expect, it } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import { SignatureSchema } from '@tagplane/protocol';
import { SignatureReader } from './signatures.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

function signature(...certificates: Uint8Array[]) {
  return create(SignatureSchema, { statement: bytes(1), signature: bytes(2), certificates });
}

describe('SignatureReader', () => {
  it('goes on with the last certificates that came', () => {
    const reader = new SignatureReader();
    expect(reader.read(undefined)).toBeUndefined();
    expect(reader.read(signature())).toEqual({ statement: bytes(1), signature: bytes(2), certificates: [] });
    expect(reader.read(signature(bytes(3), bytes(4)))?.certificates).toEqual([bytes(3), bytes(4)]);
    expect(reader.read(signature())?.certificates).toEqual([bytes(3), bytes(4)]);
    expect(reader.read(signature(bytes(5)))?.certificates).toEqual([bytes(5)]);
  });

  it('reads the proof of what was signed together with others', () => {
    const proof = { position: 3, hashes: [bytes(1), bytes(2)] };
    const signed = new SignatureReader().read(
      create(SignatureSchema, { statement: bytes(1), signature: bytes(2), proof }),
    );
    expect(signed?.proof).toEqual(proof);
  });

  it('has one list for all streams of a process, which no message can change', () => {
    const certificate = bytes(7, 8);
    const first = new SignatureReader().read(signature(certificate))?.certificates;
    const second = new SignatureReader().read(signature(bytes(7, 8)))?.certificates;
    expect(second === first).toBe(true);
    certificate[0] = 0;
    expect(first).toEqual([bytes(7, 8)]);
  });
});

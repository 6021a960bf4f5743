import { ConnectError } from '@connectrpc/connect';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MAX_MESSAGE_BYTES } from '../limits.ts';
import { EnvelopeReader, dataEnvelope, endEnvelope } from './envelopes.ts';

function read(chunks: readonly Buffer[], reader = new EnvelopeReader()): string[] {
  const bodies: string[] = [];
  for (const chunk of chunks) reader.read(chunk, (body) => bodies.push(Buffer.from(body).toString('hex')));
  return bodies;
}

function refusal(work: () => unknown): string {
  try {
    work();
    return 'no refusal';
  } catch (error) {
    return ConnectError.from(error).message;
  }
}

const header = (flags: number, length: number) => {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt8(flags, 0);
  bytes.writeUInt32BE(length, 1);
  return bytes;
};

describe('envelopes', () => {
  it('have flags, a length and the message', () => {
    expect(dataEnvelope(Buffer.from('ab')).toString('latin1')).toBe('\0\0\0\0\x02ab');
    expect(dataEnvelope(Buffer.alloc(0)).toString('latin1')).toBe('\0\0\0\0\0');
    expect(endEnvelope({}).toString('latin1')).toBe('\x02\0\0\0\x02{}');
  });

  it('are read as written, however they are split', () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 });
    fc.assert(
      fc.property(bodies, fc.array(fc.nat(300)), (messages, cuts) => {
        const bytes = Buffer.concat(messages.map((message) => dataEnvelope(message)));
        const at = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        const reader = new EnvelopeReader();
        expect(read(chunks, reader)).toEqual(messages.map((message) => Buffer.from(message).toString('hex')));
        expect(reader.complete).toBe(true);
      }),
    );
  });

  it('are incomplete until their last byte', () => {
    const bytes = dataEnvelope(Buffer.from('ab'));
    const reader = new EnvelopeReader();
    for (let at = 0; at < bytes.length - 1; at += 1) {
      expect(read([bytes.subarray(at, at + 1)], reader)).toEqual([]);
      expect(reader.complete).toBe(false);
    }
    expect(read([bytes.subarray(-1)], reader)).toEqual(['6162']);
    expect(reader.complete).toBe(true);
  });

  it.each([
    ['compressed', header(1, 3), '[invalid_argument] a compressed message'],
    ['an end of stream', header(2, 2), '[invalid_argument] an envelope with the flags 2'],
    ['of unknown flags', header(128, 0), '[invalid_argument] an envelope with the flags 128'],
    ['too long', header(0, MAX_MESSAGE_BYTES + 1), '[resource_exhausted] a message of 4194305 bytes'],
    ['as long as can be said', header(0, 0xffff_ffff), '[resource_exhausted] a message of 4294967295 bytes'],
  ])('are refused by their header alone when %s', (_what, bytes, message) => {
    expect(refusal(() => read([bytes]))).toContain(message);
    const split = [dataEnvelope(Buffer.from('ab')), bytes.subarray(0, 2), bytes.subarray(2)];
    expect(refusal(() => read(split))).toContain(message);
  });

  it('take a message of the largest size, and write none over it', () => {
    const largest = dataEnvelope(Buffer.alloc(MAX_MESSAGE_BYTES, 7));
    const chunks = Array.from({ length: Math.ceil(largest.length / 16_384) }, (_, index) =>
      largest.subarray(index * 16_384, (index + 1) * 16_384),
    );
    expect(read(chunks).map((body) => body.length)).toEqual([2 * MAX_MESSAGE_BYTES]);
    expect(refusal(() => dataEnvelope(Buffer.alloc(MAX_MESSAGE_BYTES + 1)))).toContain('resource_exhausted');
  });
});

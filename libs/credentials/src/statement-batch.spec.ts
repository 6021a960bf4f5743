import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readStatement } from './auth-statement.ts';
import { MAX_BATCH, batchOf, batchStatements } from './statement-batch.ts';
import type { StatementProof } from './statement-batch.ts';

const statement = fc.uint8Array({ maxLength: 80 });
const batch = fc.array(statement, { minLength: 1, maxLength: 70 });

const text = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString();

describe('a batch of statements', () => {
  it('is signed as one line that is no statement, whatever is in it', () => {
    fc.assert(
      fc.property(batch, (statements) => {
        const { signed } = batchStatements(statements);
        expect(text(signed)).toMatch(/^tagplane-batch-v1\n[0-9a-f]{64}$/);
        expect(readStatement(signed)).toBeUndefined();
      }),
    );
  });

  it('has for every statement a proof that leads to what was signed', () => {
    fc.assert(
      fc.property(batch, (statements) => {
        const { signed, proofs } = batchStatements(statements);
        expect(proofs).toHaveLength(statements.length);
        for (const [index, proof] of proofs.entries()) {
          expect(text(batchOf(statements[index] ?? new Uint8Array(), proof))).toBe(text(signed));
        }
      }),
    );
  });

  it('has none for another statement, another place or other hashes', () => {
    const property = fc.property(batch, fc.nat(), statement, fc.nat(), (statements, at, other, turn) => {
      const { signed, proofs } = batchStatements(statements);
      const index = at % statements.length;
      const mine = statements[index] ?? new Uint8Array();
      const proof = proofs[index] ?? { position: 0, hashes: [] };
      const leads = (to: Uint8Array, by: StatementProof): boolean => text(batchOf(to, by)) === text(signed);
      if (!Buffer.from(other).equals(mine)) expect(leads(other, proof)).toBe(false);
      const elsewhere = turn % 2 ** proof.hashes.length;
      const there = statements[elsewhere];
      if (elsewhere !== index && there !== undefined && !Buffer.from(there).equals(mine)) {
        expect(leads(mine, { ...proof, position: elsewhere })).toBe(false);
      }
      const [first] = proof.hashes;
      if (first === undefined) return;
      const bent = Buffer.from(first);
      bent[turn % bent.length] = (bent[turn % bent.length] ?? 0) ^ 1;
      expect(leads(mine, { ...proof, hashes: [bent, ...proof.hashes.slice(1)] })).toBe(false);
      expect(leads(mine, { ...proof, hashes: proof.hashes.slice(1) })).toBe(false);
    });
    fc.assert(property, { numRuns: 1_000 });
  });

  it('takes no inner node for a statement', () => {
    const statements = [0, 1, 2, 3].map((byte) => Uint8Array.of(byte));
    const { signed, proofs } = batchStatements(statements);
    const beside = proofs[2]?.hashes ?? [];
    const left = proofs[0]?.hashes[0] ?? new Uint8Array();
    // The two hashes of which the right half is made, given as if they were a statement.
    const inner = Buffer.concat([left, beside[0] ?? new Uint8Array()]);
    expect(text(batchOf(inner, { position: 1, hashes: beside.slice(1) }))).not.toBe(text(signed));
  });

  it.each<[string, StatementProof]>([
    ['a place before the first', { position: -1, hashes: [] }],
    ['a place beyond the last', { position: 1, hashes: [] }],
    ['half a place', { position: 0.5, hashes: [Buffer.alloc(32)] }],
    ['no number', { position: NaN, hashes: [] }],
    ['a short hash', { position: 0, hashes: [Buffer.alloc(31)] }],
    ['a long hash', { position: 0, hashes: [Buffer.alloc(33)] }],
    ['more than a batch holds', { position: 0, hashes: Array.from({ length: 17 }, () => Buffer.alloc(32)) }],
  ])('knows %s for no proof', (_what, proof) => {
    expect(batchOf(Uint8Array.of(1), proof)).toBeUndefined();
  });

  it('holds one statement at least, and a bounded number', () => {
    const statements = (length: number) => Array.from({ length }, () => new Uint8Array());
    expect(() => batchStatements([])).toThrow(RangeError);
    expect(() => batchStatements(statements(MAX_BATCH + 1))).toThrow(RangeError);
    expect(batchStatements(statements(1)).proofs).toEqual([{ position: 0, hashes: [] }]);
  });
});

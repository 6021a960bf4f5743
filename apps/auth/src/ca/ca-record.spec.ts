import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CaRecordError, decodeCaRecord, encodeCaRecord, trustedAuthorities } from './ca-record.ts';
import type { CaRecord } from './ca-record.ts';

const authority = fc.record({ certificate: fc.string(), sealedKey: fc.string() });
const facts = {
  cluster: fc.string(),
  createdAt: fc.nat(),
  phaseSince: fc.nat(),
  generation: fc.integer({ min: 1 }),
  bootstrap: fc.option(fc.record({ at: fc.nat(), by: fc.string() }), { nil: undefined }),
};
const records: fc.Arbitrary<CaRecord> = fc.oneof(
  fc.record({ ...facts, phase: fc.constant('stable' as const), authority }),
  fc.record({
    ...facts,
    phase: fc.constantFrom('trusting' as const, 'signing' as const),
    old: authority,
    fresh: authority,
    cross: fc.string(),
  }),
);

describe('the record of the authority', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(records, (record) => {
        expect(decodeCaRecord(encodeCaRecord(record))).toEqual(record);
      }),
    );
  });

  it.each([
    ['no JSON', 'secret', 'not JSON'],
    ['another version', '{"version":2}', 'unexpected at'],
    ['an unknown phase', encoded({ phase: 'resting' }), 'unexpected at "phase"'],
    ['no authority', encoded({ authority: undefined }), 'unexpected at "authority"'],
    ['no generation', encoded({ generation: 0 }), 'unexpected at "generation"'],
  ])('is refused when it is %s, without being quoted', (_what, value, problem) => {
    const attempt = (): CaRecord => decodeCaRecord(value);
    expect(attempt).toThrow(CaRecordError);
    expect(attempt).toThrow(problem);
    expect(attempt).not.toThrow(/secret/);
  });

  it('says who is trusted, who signs first', () => {
    const [old, fresh] = [
      { certificate: 'old', sealedKey: '' },
      { certificate: 'new', sealedKey: '' },
    ];
    const common = { cluster: 'c', createdAt: 1, phaseSince: 1, generation: 1, bootstrap: undefined };
    const both = { ...common, old, fresh, cross: '' };
    expect(trustedAuthorities({ ...common, phase: 'stable', authority: old })).toEqual([old]);
    expect(trustedAuthorities({ ...both, phase: 'trusting' })).toEqual([old, fresh]);
    expect(trustedAuthorities({ ...both, phase: 'signing' })).toEqual([fresh, old]);
  });
});

function encoded(changes: Record<string, unknown>): string {
  const record = encodeCaRecord({
    cluster: 'c',
    createdAt: 1,
    phase: 'stable',
    phaseSince: 1,
    generation: 1,
    bootstrap: undefined,
    authority: { certificate: 'secret', sealedKey: 'secret' },
  });
  return JSON.stringify({ ...(JSON.parse(record) as object), ...changes });
}

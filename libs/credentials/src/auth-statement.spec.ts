import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { labelsStatement, readStatement, rolesStatement } from './auth-statement.ts';
import type { AuthStatement } from './auth-statement.ts';

const RUNS = { numRuns: 10_000 };
const line = fc.string({ maxLength: 40 }).filter((text) => !text.includes('\n'));
const ms = fc.maxSafeNat();
const lifetime = fc.record({
  ageMs: fc.option(ms, { nil: undefined }),
  remainingMs: fc.option(ms, { nil: undefined }),
});
const namespace = fc.oneof(fc.constantFrom('aws/', 'dynamic/'), fc.string({ maxLength: 12 }));
const statements: fc.Arbitrary<AuthStatement> = fc.oneof(
  fc.record({
    kind: fc.constant('labels' as const),
    cluster: line,
    serverId: line,
    revision: line,
    issuedAt: ms,
    lifetimes: fc
      .dictionary(namespace, lifetime, { maxKeys: 3 })
      .map((each) => new Map(Object.entries(each))),
  }),
  fc.record({
    kind: fc.constant('roles' as const),
    cluster: line,
    revision: line,
    issuedAt: ms,
    remainingMs: ms,
  }),
);

function written(statement: AuthStatement): Uint8Array {
  return statement.kind === 'labels' ? labelsStatement(statement) : rolesStatement(statement);
}

describe('statements of the auth service', () => {
  it('are the lines that the protocol names', () => {
    const lifetimes = new Map([
      ['dynamic/', { ageMs: undefined, remainingMs: undefined }],
      ['aws/', { ageMs: 1_000, remainingMs: 5_400_000 }],
    ]);
    const labels = {
      cluster: 'main',
      serverId: 'web-1',
      revision: 'abc',
      issuedAt: 1_800_000_000_000,
      lifetimes,
    };
    expect(Buffer.from(labelsStatement(labels)).toString()).toBe(
      'tagplane-labels-v1\nmain\nweb-1\nabc\n1800000000000\n{"aws/":{"age":1000,"remaining":5400000},"dynamic/":{}}',
    );
    const roles = { cluster: 'main', revision: '', issuedAt: 1_800_000_000_000, remainingMs: 86_400_000 };
    expect(Buffer.from(rolesStatement(roles)).toString()).toBe(
      'tagplane-roles-v1\nmain\n\n1800000000000\n86400000',
    );
  });

  it('are read as what they were written for', () => {
    fc.assert(
      fc.property(statements, (statement) => {
        expect(readStatement(written(statement))).toEqual(statement);
      }),
      RUNS,
    );
  });

  it('have one way to be written: other bytes are another statement, or none', () => {
    const property = fc.property(
      statements,
      fc.nat(),
      fc.integer({ min: 0, max: 7 }),
      (statement, at, bit) => {
        const bytes = Uint8Array.from(written(statement));
        const index = at % bytes.length;
        bytes[index] = (bytes[index] ?? 0) ^ (1 << bit);
        const read = readStatement(bytes);
        if (read === undefined) return;
        expect(read).not.toEqual(statement);
        expect(Buffer.from(written(read)).equals(bytes)).toBe(true);
      },
    );
    fc.assert(property, RUNS);
  });

  it.each([
    ['nothing', ''],
    ['another kind', 'tagplane-join-v1\nmain\nn\n1\n1'],
    ['labels under the name of roles', 'tagplane-roles-v1\nmain\nweb-1\nabc\n1\n{}'],
    ['a line too many', 'tagplane-roles-v1\nmain\nabc\n1\n1\n'],
    ['no time', 'tagplane-roles-v1\nmain\nabc\n\n1'],
    ['a time in other digits', 'tagplane-roles-v1\nmain\nabc\n01\n1'],
    ['a time before all', 'tagplane-roles-v1\nmain\nabc\n-1\n1'],
    ['a time that is none', 'tagplane-roles-v1\nmain\nabc\n9999999999999999\n1'],
    ['no JSON', 'tagplane-labels-v1\nmain\nweb-1\nabc\n1\n{'],
    ['JSON that is no object', 'tagplane-labels-v1\nmain\nweb-1\nabc\n1\n3'],
    ['a list', 'tagplane-labels-v1\nmain\nweb-1\nabc\n1\n[]'],
    ['a lifetime that is none', 'tagplane-labels-v1\nmain\nweb-1\nabc\n1\n{"aws/":null}'],
    ['a text for an age', 'tagplane-labels-v1\nmain\nweb-1\nabc\n1\n{"aws/":{"age":"1"}}'],
    ['a negative rest', 'tagplane-labels-v1\nmain\nweb-1\nabc\n1\n{"aws/":{"remaining":-1}}'],
    ['spaces in the JSON', 'tagplane-labels-v1\nmain\nweb-1\nabc\n1\n{ }'],
    ['more than ours say', `tagplane-labels-v1\nmain\nweb-1\n${'a'.repeat(5_000)}\n1\n{}`],
  ])('are not %s', (_what, text) => {
    expect(readStatement(Buffer.from(text))).toBeUndefined();
  });

  it('hold no line end, and whole milliseconds only', () => {
    const roles = { cluster: 'main', revision: 'a', issuedAt: 1, remainingMs: 1 };
    expect(() => rolesStatement({ ...roles, cluster: 'main\nother' })).toThrow(RangeError);
    expect(() => rolesStatement({ ...roles, issuedAt: 1.5 })).toThrow(RangeError);
    expect(() => rolesStatement({ ...roles, remainingMs: -1 })).toThrow(RangeError);
  });
});

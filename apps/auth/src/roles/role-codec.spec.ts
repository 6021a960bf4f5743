import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { role, storedRole } from '../testing/roles.ts';
import { RoleDecodeError, decodeRole, encodeRole, foundRole, isRoleName, roleKey } from './role-codec.ts';

const text = fc.string({ unit: 'binary', maxLength: 12 });
const rules = fc.array(
  fc.record({
    logins: fc.array(text, { maxLength: 3 }),
    nodeLabels: fc.record({
      terms: fc.array(fc.record({ key: text, values: fc.array(text, { maxLength: 3 }) }), { maxLength: 3 }),
    }),
  }),
  { maxLength: 3 },
);
const roles = fc.record({
  name: fc.constant('dev'),
  description: text,
  allow: rules,
  deny: rules,
  maxLabelAgeMs: fc.option(fc.nat(), { nil: undefined }),
  updatedBy: text,
  updatedAt: fc.nat(),
});

describe('a stored role', () => {
  it('is read as what was written', () => {
    fc.assert(
      fc.property(roles, (written) => {
        const entry = { key: roleKey('dev'), value: encodeRole(written), revision: 7 };
        expect(decodeRole(entry)).toEqual({ ...written, revision: 7 });
      }),
      { numRuns: 1_000 },
    );
  });

  const good = JSON.parse(encodeRole(storedRole(role('dev')))) as Record<string, unknown>;
  it.each([
    ['not JSON', '{'],
    ['no object', '[]'],
    ['of a newer version', JSON.stringify({ ...good, version: 2 })],
    ['with a condition that only a newer version knows', JSON.stringify({ ...good, only_on: 'sunday' })],
    ['without its rules', JSON.stringify({ ...good, deny: undefined })],
    ['with a rule that is none', JSON.stringify({ ...good, allow: [{ logins: ['a'] }] })],
  ])('is not read when it is %s', (_what, value) => {
    const entry = { key: roleKey('dev'), value, revision: 1 };
    expect(() => decodeRole(entry)).toThrow(RoleDecodeError);
    expect(foundRole({ state: 'live', ...entry, expiresAt: undefined })).toBeUndefined();
  });

  it('is none when it is not there', () => {
    expect(foundRole(undefined)).toBeUndefined();
    expect(foundRole({ state: 'absent', key: roleKey('dev') })).toBeUndefined();
  });
});

describe('isRoleName', () => {
  it.each([
    ['dev', true],
    ['a.b_c-1', true],
    ['a'.repeat(128), true],
    ['a'.repeat(129), false],
    ['', false],
    ['-dev', false],
    ['dev/../ca', false],
  ])('of %s is %s', (name, is) => {
    expect(isRoleName(name)).toBe(is);
  });
});

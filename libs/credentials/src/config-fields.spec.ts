import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import {
  caPinsField,
  pinSourceOf,
  tlsField,
  tokenJoinFields,
  tokenJoinProblem,
  tokenSourceOf,
} from './config-fields.ts';

const PIN = `sha256:${'ab'.repeat(32)}`;
const OTHER = `sha256:${'cd'.repeat(32)}`;

describe('caPinsField', () => {
  it.each<[unknown, string[]]>([
    [PIN, [PIN]],
    [PIN.toUpperCase().replace('SHA', 'sha'), [PIN]],
    [`${PIN}, ${OTHER}`, [PIN, OTHER]],
    [
      [PIN, OTHER],
      [PIN, OTHER],
    ],
  ])('reads %j', (value, pins) => {
    expect(caPinsField.parse(value)).toEqual(pins);
  });

  it.each(['', 'sha256:', PIN.slice(0, -1), `sha1:${'ab'.repeat(20)}`, [], 7, Array<string>(9).fill(PIN)])(
    'refuses %j',
    (value) => {
      expect(caPinsField.safeParse(value).success).toBe(false);
    },
  );
});

describe('tlsField', () => {
  it('is mutual unless it says otherwise', () => {
    expect(tlsField.parse(undefined)).toEqual({ mode: 'mutual' });
    expect(tlsField.parse({ mode: 'insecure' })).toEqual({ mode: 'insecure' });
    expect(tlsField.safeParse({ mode: 'off' }).success).toBe(false);
  });
});

describe('the keys of joining', () => {
  const schema = z.strictObject(tokenJoinFields);

  it.each([
    [{ token: 'a', ca_pins: PIN }, undefined],
    [{ token_file: '/a', ca_pin: PIN }, undefined],
    [{ token: 'a', token_file: '/a', ca_pins: PIN }, 'token_file'],
    [{ ca_pins: PIN }, 'token'],
    [{ token: 'a', ca_pin_file: '/a' }, undefined],
    [{ token: 'a' }, 'ca_pins'],
  ])('%j: the problem is with %p', (value, key) => {
    expect(tokenJoinProblem(schema.parse(value))?.key).toBe(key);
  });

  it('has pins under either name, each once', () => {
    const source = pinSourceOf(schema.parse({ ca_pins: [PIN, OTHER], ca_pin: PIN }));
    expect(source).toStrictEqual({ pins: [PIN, OTHER] });
  });

  it('has the file of pins', () => {
    expect(pinSourceOf(schema.parse({ ca_pin_file: '/a' }))).toEqual({ pins: [], pinFile: '/a' });
  });

  it.each([
    [{}, undefined],
    [{ token: 'a' }, { token: 'a' }],
    [{ token_file: '/a' }, { tokenFile: '/a' }],
  ])('%j: the token is in %j', (join, source) => {
    expect(tokenSourceOf(join)).toEqual(source);
  });
});

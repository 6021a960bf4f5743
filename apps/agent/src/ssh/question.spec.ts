import { describe, expect, it } from '@jest/globals';
import { readQuestion } from './question.ts';

const WHOLE = {
  login: 'deploy',
  roles: ['dev'],
  traits: { logins: ['deploy'] },
  certificate: { key_id: 'alice', serial: '7' },
};

describe('readQuestion', () => {
  it('reads a whole one', () => {
    expect(readQuestion(WHOLE)).toEqual({
      login: 'deploy',
      roles: ['dev'],
      traits: new Map([['logins', ['deploy']]]),
      keyId: 'alice',
      serial: '7',
    });
  });

  it('reads one without what is not decided by', () => {
    expect(readQuestion({ login: 'a', roles: [] })).toEqual({
      ...{ login: 'a', roles: [], traits: new Map(), keyId: '', serial: '' },
    });
  });

  it('takes any name of a trait', () => {
    const traits: unknown = JSON.parse('{"__proto__":["x"],"constructor":[]}');
    expect([...(readQuestion({ ...WHOLE, traits })?.traits ?? [])]).toEqual([
      ['__proto__', ['x']],
      ['constructor', []],
    ]);
  });

  it.each([
    ['no object', 7],
    ['null', null],
    ['a list', []],
    ['no login', { ...WHOLE, login: '' }],
    ['a login that is none', { ...WHOLE, login: ['deploy'] }],
    ['a login too long', { ...WHOLE, login: 'x'.repeat(257) }],
    ['no roles', { ...WHOLE, roles: undefined }],
    ['roles that are none', { ...WHOLE, roles: [1] }],
    ['too many roles', { ...WHOLE, roles: Array.from({ length: 257 }, () => 'a') }],
    ['traits that are none', { ...WHOLE, traits: { a: 'b' } }],
    ['a list of traits', { ...WHOLE, traits: [] }],
    [
      'too many traits',
      { ...WHOLE, traits: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [i, []])) },
    ],
    ['a certificate that is none', { ...WHOLE, certificate: 'x' }],
    ['a key id that is none', { ...WHOLE, certificate: { key_id: 1 } }],
  ])('refuses %s', (_, body) => {
    expect(readQuestion(body)).toBeUndefined();
  });
});

import { describe, expect, it } from '@jest/globals';
import { accessQuestion } from './question.ts';

function byQuery(query: string) {
  return accessQuestion({ query: new URLSearchParams(query) });
}

describe('accessQuestion', () => {
  it('reads a query', () => {
    expect(byQuery('login=deploy&role=a&role=b&trait=team=x&trait=team=y%3Dz')).toEqual({
      login: 'deploy',
      roles: ['a', 'b'],
      traits: new Map([['team', ['x', 'y=z']]]),
    });
    expect(byQuery('login=a')).toEqual({ login: 'a', roles: [], traits: new Map() });
  });

  it('keeps a trait of any name', () => {
    const traits = new Map([['__proto__', ['v']]]);
    expect(byQuery('login=a&trait=__proto__=v').traits).toEqual(traits);
    const body: unknown = JSON.parse('{"login":"a","traits":{"__proto__":["v"]}}');
    expect(accessQuestion({ body }).traits).toEqual(traits);
  });

  it('reads JSON, and leaves what it does not know', () => {
    const body = { login: 'a', roles: ['b'], traits: { t: ['v'] }, certificate: { serial: '1' } };
    expect(accessQuestion({ body })).toEqual({ login: 'a', roles: ['b'], traits: new Map([['t', ['v']]]) });
    expect(accessQuestion({ body: { login: 'a' } })).toEqual({ login: 'a', roles: [], traits: new Map() });
  });

  it.each([
    ['', /^login: it is missing$/],
    ['login=a&login=b', /^login: there can be only one$/],
    ['login=', /^login: /],
    [`login=${'x'.repeat(257)}`, /^login: /],
    ['login=a&trait=b', /^trait: expected NAME=VALUE$/],
    ['login=a&trait==b', /^trait: expected NAME=VALUE$/],
    ['login=a&roles=b', /^"roles": there are login, role, trait$/],
    ['login=a&role=', /^roles\.0: /],
    [`login=a&trait=t=${'x'.repeat(1_025)}`, /^traits\.t\.0: /],
  ])('refuses %j on one line', (query, line) => {
    expect(() => byQuery(query)).toThrow(expect.objectContaining({ name: 'BadQuestionError' }));
    expect(() => byQuery(query)).toThrow(line);
  });

  it.each([
    [null],
    [[]],
    [{}],
    [{ login: 1 }],
    [{ login: 'a', roles: 'b' }],
    [{ login: 'a', traits: { t: 'v' } }],
  ])('refuses %j', (body) => {
    expect(() => accessQuestion({ body })).toThrow(expect.objectContaining({ name: 'BadQuestionError' }));
  });

  it('is bounded', () => {
    const many = Array.from({ length: 2_001 }, (_, index) => `r${index}`);
    expect(() => accessQuestion({ body: { login: 'a', roles: many } })).toThrow(/^roles: /);
    const traits = Object.fromEntries(many.map((name) => [name, []]));
    expect(() => accessQuestion({ body: { login: 'a', traits } })).toThrow(/^traits: at most 256$/);
  });
});

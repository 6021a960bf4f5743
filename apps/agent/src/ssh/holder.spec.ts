import { describe, expect, it } from '@jest/globals';
import { certificateHolder, isRoleName } from './holder.ts';
import { encodeCertificate, extension } from './testing/encode.ts';
import { madeBySshKeygen } from './testing/made-by-ssh-keygen.ts';
import { CertificateError } from './wire-reader.ts';

const withTraits = (traits: string): string =>
  encodeCertificate({ extensions: [extension('traits@tagplane', traits)] });

describe('certificateHolder', () => {
  it('has the roles, traits and names of a certificate that ssh-keygen made', async () => {
    const made = await madeBySshKeygen();
    const holder = (name: string) =>
      certificateHolder(made.find((each) => each.name === name)?.certificate ?? '');
    expect(holder('ed25519')).toEqual({
      roles: ['dev', 'ops'],
      traits: new Map([['logins', ['deploy', 'alice']]]),
      keyId: 'alice@example.com',
      serial: '7',
    });
    expect(holder('names that are no roles').roles).toEqual(['dev', 'ops.eu_1']);
    expect(holder('without principals').roles).toEqual([]);
    expect(() => holder("a host's")).toThrow("it is a host's");
  });

  it.each([
    ['an empty object', '{}', []],
    ['an empty list', '{"a":[]}', [['a', []]]],
    ['a name that means something to JavaScript', '{"__proto__":["x"]}', [['__proto__', ['x']]]],
    ['the last of two', '{"a":["x"],"a":["y"]}', [['a', ['y']]]],
  ])('takes as traits %s', (_, json, traits) => {
    expect([...certificateHolder(withTraits(json)).traits]).toEqual(traits);
  });

  it.each([
    ['no JSON', 'deploy', /not JSON/],
    ['a list', '["deploy"]', /no JSON object/],
    ['null', 'null', /no JSON object/],
    ['a text as a value', '{"logins":"deploy"}', /no list of strings/],
    ['a number in a list', '{"logins":[1]}', /no list of strings/],
    ['a text too long', JSON.stringify({ a: ['x'.repeat(257)] }), /too long/],
    ['a list too long', JSON.stringify({ a: Array.from({ length: 257 }, () => 'x') }), /too long/],
    [
      'too many',
      JSON.stringify(Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`t${index}`, []]))),
      /too many traits/,
    ],
  ])('refuses traits that are %s', (_, json, why) => {
    expect(() => certificateHolder(withTraits(json))).toThrow(why);
    expect(() => certificateHolder(withTraits(json))).toThrow(CertificateError);
  });

  it('refuses traits that are not written as ssh-keygen writes them', () => {
    const bare = encodeCertificate({ extensions: [['traits@tagplane', Buffer.from('{"a":["b"]}')]] });
    expect(() => certificateHolder(bare)).toThrow('traits@tagplane is cut off');
    const [name, value] = extension('traits@tagplane', '{}');
    const more = encodeCertificate({ extensions: [[name, Buffer.concat([value, Buffer.from('x')])]] });
    expect(() => certificateHolder(more)).toThrow('followed by something else');
  });

  it('shortens a key id for logs', () => {
    expect(certificateHolder(encodeCertificate({ keyId: 'k'.repeat(1_000) })).keyId).toHaveLength(256);
  });
});

describe('isRoleName', () => {
  it.each(['dev', 'A', '0', 'a.b_c-d', 'x'.repeat(128)])('%s is one', (name) => {
    expect(isRoleName(name)).toBe(true);
  });
  it.each(['', '-a', '.a', '_a', 'a b', 'a,b', 'a@b', 'a\n', '#a', 'ä', 'x'.repeat(129)])(
    '%j is none',
    (name) => {
      expect(isRoleName(name)).toBe(false);
    },
  );
});

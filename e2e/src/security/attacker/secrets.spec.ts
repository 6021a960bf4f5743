import { describe, expect, it } from '@jest/globals';
import { createKey } from '@tagplane/credentials';
import { Secrets } from './secrets.ts';

describe('Secrets', () => {
  const secrets = new Secrets();
  const { privateKey } = createKey();
  secrets.add('token', 'tp-123/456+789-abc');
  secrets.addPem('key', privateKey);

  it.each<[string, string, string[]]>([
    ['plain', 'refused: tp-123/456+789-abc!', ['token']],
    ['as a parameter', 'https://x/?t=tp-123%2F456%2B789-abc', ['token']],
    ...['', 'a', 'ab'].map((before): [string, string, string[]] => [
      `in base64 after ${JSON.stringify(before)}`,
      Buffer.from(`${before}tp-123/456+789-abc and more`).toString('base64'),
      ['token'],
    ]),
    ['in hex', Buffer.from('tp-123/456+789-abc').toString('hex'), ['token']],
    ['a key in JSON', JSON.stringify({ privateKey }), ['key']],
    ['one line of a key', privateKey.split('\n')[1] ?? '', ['key']],
    ['nothing', 'the token was refused', []],
  ])('finds a secret: %s', (_what, text, found) => {
    expect(secrets.foundIn(text)).toEqual(found);
  });

  it('takes none that is found by chance', () => {
    expect(() => secrets.add('short', 'abc')).toThrow(RangeError);
  });
});

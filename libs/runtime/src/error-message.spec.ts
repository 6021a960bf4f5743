import { describe, expect, it } from '@jest/globals';
import { runInNewContext } from 'node:vm';
import { errorMessage } from './error-message.ts';

describe('errorMessage', () => {
  it.each([
    [new Error('no route'), 'no route'],
    [new TypeError(''), ''],
    [runInNewContext('new Error("elsewhere")'), 'elsewhere'],
    ['text', 'text'],
    [undefined, 'undefined'],
    [null, 'null'],
    [7n, '7'],
  ])('of %j is %j', (error, expected) => {
    expect(errorMessage(error)).toBe(expected);
  });
});

import { describe, expect, it } from '@jest/globals';
import { attemptsOf, classify } from './scan-error.ts';

function error(name: string, parts: object = {}): Error {
  return Object.assign(new Error('from EC2'), { name, ...parts });
}

describe('classify', () => {
  it.each([
    [
      error('RequestLimitExceeded', { $metadata: { httpStatusCode: 503 } }),
      'throttled',
      'RequestLimitExceeded',
    ],
    [error('Unknown', { $metadata: { httpStatusCode: 429 } }), 'throttled', 'Unknown'],
    [
      error('UnauthorizedOperation', { $metadata: { httpStatusCode: 403 } }),
      'denied',
      'UnauthorizedOperation',
    ],
    [error('AuthFailure', { $metadata: { httpStatusCode: 401 } }), 'denied', 'AuthFailure'],
    [error('CredentialsProviderError'), 'denied', 'CredentialsProviderError'],
    [error('Unavailable', { $metadata: { httpStatusCode: 503 } }), 'unreachable', 'Unavailable'],
    [error('TimeoutError', { code: 'ETIMEDOUT' }), 'unreachable', 'TimeoutError'],
    [error('Error', { code: 'ECONNREFUSED' }), 'unreachable', 'ECONNREFUSED'],
    [error('InvalidNextToken', { $metadata: { httpStatusCode: 400 } }), 'other', 'InvalidNextToken'],
    [error('TypeError', { code: 7 }), 'other', 'TypeError'],
    ['text', 'other', 'unknown'],
  ] as const)('%s is %s', (thrown, kind, code) => {
    expect(classify(thrown)).toEqual({ kind, code });
  });
});

describe('attemptsOf', () => {
  it('is what the SDK counted, or none', () => {
    expect(attemptsOf(error('X', { $metadata: { attempts: 3 } }))).toBe(3);
    expect(attemptsOf(error('X'))).toBe(0);
    expect(attemptsOf(undefined)).toBe(0);
  });
});

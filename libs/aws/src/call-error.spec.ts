import { describe, expect, it } from '@jest/globals';
import { AwsCallError, classify, refusedCaller } from './call-error.ts';

function error(name: string, parts: object = {}): Error {
  return Object.assign(new Error('from AWS'), { name, ...parts });
}

describe('classify', () => {
  it.each([
    [
      error('ThrottlingException', { $metadata: { httpStatusCode: 400 } }),
      'throttled',
      'ThrottlingException',
    ],
    [error('TooManyRequestsException'), 'throttled', 'TooManyRequestsException'],
    [error('Unknown', { $metadata: { httpStatusCode: 429 } }), 'throttled', 'Unknown'],
    [error('AccessDenied', { $metadata: { httpStatusCode: 403 } }), 'denied', 'AccessDenied'],
    [error('UnrecognizedClientException'), 'denied', 'UnrecognizedClientException'],
    [error('KmsAccessDenied'), 'denied', 'KmsAccessDenied'],
    [error('InternalError', { $metadata: { httpStatusCode: 500 } }), 'unreachable', 'InternalError'],
    [error('SyntaxError', { $metadata: { httpStatusCode: 502 } }), 'unreachable', 'HTTP 502'],
    [error('SyntaxError', { $metadata: { httpStatusCode: 200 } }), 'other', 'SyntaxError'],
    [error('TimeoutError', { code: 'ETIMEDOUT' }), 'unreachable', 'TimeoutError'],
    [error('Error', { code: 'ECONNREFUSED' }), 'unreachable', 'ECONNREFUSED'],
    [error('QueueDoesNotExist', { $metadata: { httpStatusCode: 400 } }), 'other', 'QueueDoesNotExist'],
    ['text', 'other', 'unknown'],
  ] as const)('%s is %s', (thrown, kind, code) => {
    expect(classify(thrown)).toEqual({ kind, code });
  });
});

describe('refusedCaller', () => {
  it.each([
    [
      'User: arn:aws:sts::123456789012:assumed-role/Hub/i-0abc is not authorized to perform: sts:AssumeRole',
      'arn:aws:sts::123456789012:assumed-role/Hub/i-0abc',
    ],
    ['User: arn:aws-cn:iam::123456789012:user/me is not authorized', 'arn:aws-cn:iam::123456789012:user/me'],
    ['User: somebody is not authorized', undefined],
    ['Access Denied', undefined],
  ])('of %s', (message, caller) => {
    expect(refusedCaller(new Error(message))).toBe(caller);
  });

  it('is unknown of what has no message', () => {
    expect(refusedCaller(undefined)).toBeUndefined();
    expect(refusedCaller({ message: 7 })).toBeUndefined();
  });
});

describe('AwsCallError', () => {
  it('says what was called, how it failed and what to do', () => {
    const failure = {
      service: 'SQS',
      operation: 'ReceiveMessage',
      kind: 'denied',
      code: 'AccessDenied',
    } as const;
    expect(new AwsCallError(failure).message).toBe('SQS ReceiveMessage: denied, AccessDenied');
    const fixed = new AwsCallError({ ...failure, fix: 'do this' });
    expect(fixed.message).toBe('SQS ReceiveMessage: denied, AccessDenied: do this');
    expect(fixed).toMatchObject({ ...failure, fix: 'do this', name: 'AwsCallError' });
  });
});

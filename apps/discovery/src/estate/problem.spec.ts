import { describe, expect, it } from '@jest/globals';
import { RoleError } from '@tagplane/aws';
import { ScanError } from '@tagplane/ec2';
import type { ScanErrorKind } from '@tagplane/ec2';
import { fakeRegion } from '@tagplane/ec2/testing';
import { problemText } from './problem.ts';

const role = new RoleError({
  roleArn: 'arn:aws:iam::123456789012:role/Tags',
  kind: 'denied',
  code: 'AccessDenied',
  fix: 'let its trust policy\n  name this process',
});
const scanError = (kind: ScanErrorKind, code: string, cause?: unknown): ScanError =>
  new ScanError({ kind, code, region: fakeRegion('eu-west-1'), requests: 1 }, { cause });

describe('a problem in one line', () => {
  it.each<[string, unknown, RegExp]>([
    [
      'a role, wherever it is in the chain',
      scanError('denied', 'RoleError', new Error('x', { cause: role })),
      /Tags.*name this process$/,
    ],
    [
      'a permission',
      scanError('denied', 'UnauthorizedOperation'),
      /^denied, UnauthorizedOperation: allow .*ec2:DescribeInstances/,
    ],
    ['a region that is closed', scanError('denied', 'OptInRequired'), /enable the region/],
    ['no credentials', scanError('denied', 'CredentialsProviderError'), /give this process credentials/],
    ['other refusals', scanError('denied', 'SignatureDoesNotMatch'), /clock/],
    ['no such host', scanError('unreachable', 'ENOTFOUND'), /check the network/],
    ['a throttle', scanError('throttled', 'RequestLimitExceeded'), /^throttled, RequestLimitExceeded$/],
    ['any error', new Error('one\ntwo'), /^one two$/],
    ['anything', 'text', /^text$/],
    ['a very long one', new Error('x'.repeat(5_000)), /^x{1900}$/],
  ])('tells the fix of %s', (_, error, expected) => {
    expect(problemText(error)).toMatch(expected);
  });

  it('ends on causes that go in a circle', () => {
    const circle = new Error('round');
    circle.cause = circle;
    expect(problemText(circle)).toBe('round');
  });
});

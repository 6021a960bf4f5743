import { describe, expect, it } from '@jest/globals';
import {
  instanceOfRole,
  parseAssumedRole,
  partitionOf,
  readCallerIdentity,
  readErrorCode,
} from './caller-identity.ts';

const ARN = 'arn:aws:sts::123456789012:assumed-role/web/session';

function xml(account: string, arn: string): string {
  return (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>' +
    `<Arn>${arn}</Arn><UserId>AROAX:session</UserId><Account>${account}</Account></GetCallerIdentityResult>` +
    '<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>'
  );
}

function json(result: unknown): string {
  return JSON.stringify({ GetCallerIdentityResponse: { GetCallerIdentityResult: result } });
}

const good = { Account: '123456789012', Arn: ARN, UserId: 'AROAX:session' };

describe('readCallerIdentity', () => {
  it.each([
    ['XML', xml('123456789012', ARN)],
    ['XML with a declaration', `<?xml version="1.0"?>\n${xml('123456789012', ARN)}`],
    ['JSON', json(good)],
  ])('reads %s', (_form, body) => {
    expect(readCallerIdentity(body)).toEqual({ account: '123456789012', arn: ARN, userId: 'AROAX:session' });
  });

  it.each([
    ['nothing', ''],
    ['a page', '<html><body>welcome</body></html>'],
    ['half of it', xml('123456789012', ARN).slice(0, 120)],
    ['half of JSON', json(good).slice(0, 40)],
    ['null', '{"GetCallerIdentityResponse":null}'],
    ['another account in the ARN', xml('210987654321', ARN)],
    ['an account twice', xml('123456789012</Account><Account>210987654321', ARN)],
    ['no account', xml('', ARN)],
    ['an account with spaces', xml(' 123456789012', ARN)],
    ['a list of accounts', json({ ...good, Account: ['123456789012'] })],
    ['a number for an account', json({ ...good, Account: 123456789012 })],
    ['another service in the ARN', xml('123456789012', 'arn:aws:ec2::123456789012:instance/i-1')],
    ['an ARN with markup', xml('123456789012', `${ARN}<b/>`)],
    ['an ARN with a line in it', json({ ...good, Arn: `${ARN}\nx` })],
    ['an identity elsewhere', JSON.stringify({ GetCallerIdentityResult: good })],
  ])('refuses %s', (_what, body) => {
    expect(readCallerIdentity(body)).toBeUndefined();
  });
});

describe('readErrorCode', () => {
  it.each([
    [
      '<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code></Error></ErrorResponse>',
      'ExpiredToken',
    ],
    ['{"Error":{"Code":"SignatureDoesNotMatch","Message":"m"},"RequestId":"1"}', 'SignatureDoesNotMatch'],
    ['{"ErrorResponse":{"Error":{"Code":"AccessDenied"}}}', 'AccessDenied'],
    ['<ErrorResponse><Error><Code>a b</Code></Error></ErrorResponse>', undefined],
    ['<html>Forbidden</html>', undefined],
    ['', undefined],
  ])('of %s is %s', (body, code) => {
    expect(readErrorCode(body)).toBe(code);
  });
});

describe('the ARN of a caller', () => {
  it.each([
    [ARN, 'web', undefined],
    [
      `arn:aws:sts::123456789012:assumed-role/aws:ec2-instance/i-0123456789abcdef0`,
      'aws:ec2-instance',
      'i-0123456789abcdef0',
    ],
    // A role of the customer's whose session is named like an instance: whoever assumes it names it.
    ['arn:aws:sts::123456789012:assumed-role/web/i-0123456789abcdef0', 'web', undefined],
    ['arn:aws:sts::123456789012:assumed-role/aws:ec2-instance/web', 'aws:ec2-instance', undefined],
    ['arn:aws:iam::123456789012:user/aws:ec2-instance/i-0123456789abcdef0', undefined, undefined],
    ['arn:aws:iam::123456789012:root', undefined, undefined],
    ['arn:aws:sts::123456789012:federated-user/x', undefined, undefined],
    ['arn:aws:sts::123456789012:assumed-role/a/b/i-0123456789abcdef0', undefined, undefined],
  ])('%s: role %s, instance %s', (arn, role, instance) => {
    const parsed = parseAssumedRole(arn);
    expect(parsed?.role).toBe(role);
    expect(parsed && instanceOfRole(parsed)).toBe(instance);
    expect(partitionOf(arn)).toBe('aws');
  });
});

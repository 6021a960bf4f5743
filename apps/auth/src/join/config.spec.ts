import { describe, expect, it } from '@jest/globals';
import { MINUTE, configKeys } from '@tagplane/runtime';
import { joinField } from './config.ts';

function problem(input: unknown): string {
  const result = joinField.safeParse(input);
  const issue = result.error?.issues[0];
  return issue === undefined ? 'none' : `${issue.path.join('.')}: ${issue.message}`;
}

const ACCOUNT = '123456789012';

describe('join', () => {
  it('needs nothing: tokens always work', () => {
    expect(joinField.parse({})).toEqual({ exchanges: 256 });
  });

  it('fills in what most leave out', () => {
    const parsed = joinField.parse({
      iam: { allow: [{ account: ACCOUNT }] },
      ec2: { allow: [{ account: ACCOUNT }], certificates: { 'eu-central-1': 'aws.pem' } },
    });
    expect(parsed.iam?.allow).toEqual([{ account: ACCOUNT, partition: 'aws', roles: ['agent'] }]);
    expect(parsed.ec2).toMatchObject({ max_age: 5 * MINUTE, check_address: false });
  });

  it.each([
    [
      'an account of a number',
      { iam: { allow: [{ account: 123456789012 }] } },
      'iam.allow.0.account: expected',
    ],
    ['no rule', { iam: { allow: [] } }, 'iam.allow: '],
    ['operators', { iam: { allow: [{ account: ACCOUNT, roles: ['operator'] }] } }, 'iam.allow.0.roles.0: '],
    ['a misspelt rule', { iam: { allow: [{ account: ACCOUNT, rol: 'x' }] } }, 'iam.allow.0: '],
    [
      'an endpoint with a path',
      { iam: { allow: [{ account: ACCOUNT }], sts_endpoint: 'https://sts.example/x' } },
      'iam.sts_endpoint: expected http://HOST[:PORT]',
    ],
    [
      'an endpoint that is no URL',
      { iam: { allow: [{ account: ACCOUNT }], sts_endpoint: 'ftp://x' } },
      'iam.sts_endpoint: expected http://HOST[:PORT]',
    ],
    ['no region', { ec2: { allow: [{ account: ACCOUNT }], certificates: {} } }, 'ec2.certificates: '],
    [
      'a region that is none',
      { ec2: { allow: [{ account: ACCOUNT }], certificates: { eu: 'f' } } },
      'ec2.certificates.eu: ',
    ],
    [
      'a short age',
      { ec2: { allow: [{ account: ACCOUNT }], certificates: { 'eu-central-1': 'f' }, max_age: '1s' } },
      'ec2.max_age: expected between 1m and 365d',
    ],
    ['no exchanges', { exchanges: 0 }, 'exchanges: '],
  ])('refuses %s', (_what, input, expected) => {
    expect(problem(input)).toContain(expected);
  });

  it('can be set by the environment, rules as YAML', () => {
    const keys = configKeys(joinField).map(({ path, text }) => `${path.join('.')} ${text ? 'text' : 'yaml'}`);
    expect(keys).toEqual([
      'exchanges yaml',
      'iam.allow yaml',
      'iam.sts_endpoint text',
      'ec2.allow yaml',
      'ec2.certificates yaml',
      'ec2.max_age text',
      'ec2.check_address yaml',
    ]);
  });
});

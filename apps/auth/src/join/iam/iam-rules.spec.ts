import { describe, expect, it } from '@jest/globals';
import { parseAccountId } from '@tagplane/identity';
import { joinField } from '../config.ts';
import { iamAllows } from './iam-rules.ts';

const OURS = '123456789012';
const WEB = `arn:aws:sts::${OURS}:assumed-role/web-prod/session`;
const USER = `arn:aws:iam::${OURS}:user/ada`;
const INSTANCE = `arn:aws:sts::${OURS}:assumed-role/aws:ec2-instance/i-0123456789abcdef0`;

describe('iamAllows', () => {
  it.each([
    ['any role of the account', [{ account: OURS }], WEB, true],
    ['a user of the account', [{ account: OURS }], USER, true],
    ['another account', [{ account: '210987654321' }], WEB, false],
    ['the role', [{ account: OURS, role: 'web-prod' }], WEB, true],
    ['a pattern of roles', [{ account: OURS, role: 'web-*' }], WEB, true],
    ['another role', [{ account: OURS, role: 'web' }], WEB, false],
    ['a user where a role is asked for', [{ account: OURS, role: '*' }], USER, false],
    ['the role of instances', [{ account: OURS, role: 'aws:ec2-instance' }], INSTANCE, true],
    ['the whole ARN', [{ account: OURS, arn: WEB }], WEB, true],
    ['a pattern of ARNs', [{ account: OURS, arn: '*:assumed-role/web-prod/*' }], WEB, true],
    ['another ARN', [{ account: OURS, arn: USER }], WEB, false],
    ['a role, but another ARN', [{ account: OURS, role: 'web-*', arn: USER }], WEB, false],
    ['another partition', [{ account: OURS, partition: 'aws-cn' }], WEB, false],
    ['one rule of two', [{ account: '210987654321' }, { account: OURS }], WEB, true],
    ['a rule for discovery', [{ account: OURS, roles: ['discovery'] }], WEB, false],
    ['a rule for both', [{ account: OURS, roles: ['discovery', 'agent'] }], WEB, true],
  ])('%s', (_what, allow, arn, expected) => {
    const rules = joinField.parse({ iam: { allow } }).iam?.allow ?? [];
    const account = parseAccountId(arn.split(':')[4] ?? '');
    if (account === undefined) throw new Error('no account');
    expect(iamAllows(rules, { account, arn, userId: 'x' }, 'agent')).toBe(expected);
    expect(iamAllows(rules, { account, arn, userId: 'x' }, 'operator')).toBe(false);
  });
});

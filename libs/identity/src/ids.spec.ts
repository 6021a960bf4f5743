import { describe, expect, it } from '@jest/globals';
import {
  instanceKeyText,
  parseAccountId,
  parseInstanceId,
  parseInstanceKey,
  parseRegion,
  parseServerId,
} from './ids.ts';

describe('parseAccountId', () => {
  it.each(['123456789012', '000000000000', '012345678901'])('reads %s', (text) => {
    expect(parseAccountId(text)).toBe(text);
  });

  it.each(['', '12345678901', '1234567890123', '1234-5678-9012', '12345678901a', ' 123456789012'])(
    'refuses %j',
    (text) => {
      expect(parseAccountId(text)).toBeUndefined();
    },
  );

  it.each(['123456789012\n', '١٢٣٤٥٦٧٨٩٠١٢', '+12345678901', '1234567890.2'])('refuses %j', (text) => {
    expect(parseAccountId(text)).toBeUndefined();
  });
});

describe('parseRegion', () => {
  it.each([
    ...['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2', 'ca-central-1', 'ca-west-1', 'mx-central-1'],
    ...['sa-east-1', 'eu-central-1', 'eu-central-2', 'eu-west-1', 'eu-north-1', 'eu-south-2'],
    ...['af-south-1', 'me-south-1', 'me-central-1', 'il-central-1', 'ap-east-1', 'ap-east-2'],
    ...['ap-south-1', 'ap-south-2', 'ap-northeast-3', 'ap-southeast-5', 'ap-southeast-7'],
    ...['cn-north-1', 'cn-northwest-1', 'us-gov-east-1', 'us-gov-west-1', 'eusc-de-east-1'],
    ...['us-iso-east-1', 'us-iso-west-1', 'us-isob-east-1', 'us-isof-south-1', 'eu-isoe-west-1'],
  ])('reads %s', (text) => {
    expect(parseRegion(text)).toBe(text);
  });

  it.each([
    ...['', 'us-east', 'us-east-', 'useast1', 'us-east-1a', 'US-EAST-1', 'us_east_1', '-us-east-1'],
    ...['us--east-1', 'us-east--1', 'us-east-1-', 'us-east-100', 'u-east-1', 'us-1', 'global'],
    ...[' us-east-1', 'us-east-1\n', 'us-east-1/', '../us-east-1', 'us-east-1-i-00000000'],
  ])('refuses %j', (text) => {
    expect(parseRegion(text)).toBeUndefined();
  });
});

describe('parseInstanceId', () => {
  it.each(['i-0abcdef1234567890', 'i-1234abcd'])('reads %s', (text) => {
    expect(parseInstanceId(text)).toBe(text);
  });

  it.each([
    ...['', 'i-', '0abcdef1234567890', 'i-0abcdef123456789', 'i-0abcdef12345678901', 'i-1234abc'],
    ...['i-1234abcde', 'i-0ABCDEF1234567890', 'I-1234abcd', 'i-1234abcg', 'mi-1234abcd', 'i-1234abcd\n'],
    ...['mi-0123456789abcdef0', 'i_1234abcd', ' i-1234abcd'],
  ])('refuses %j', (text) => {
    expect(parseInstanceId(text)).toBeUndefined();
  });
});

describe('parseServerId', () => {
  it.each([
    ...['a', '7', 'web-1', 'ip-10-0-0-1.eu-central-1.compute.internal', 'Web_1', 'x'.repeat(128)],
    ...['i-0abcdef1234567890', '3f2504e0-4f89-11d3-9a0c-0305e82c3301', 'constructor'],
  ])('reads %s', (text) => {
    expect(parseServerId(text)).toBe(text);
  });

  it.each([
    ...['', '-a', '.a', '..', '_a', '__proto__', 'x'.repeat(129), 'a b', 'a/b', 'a@b', 'a:b', 'ä', 'a\n'],
  ])('refuses %j', (text) => {
    expect(parseServerId(text)).toBeUndefined();
  });
});

describe('parseInstanceKey', () => {
  const good = { account: '123456789012', region: 'eu-central-1', instance: 'i-0abcdef1234567890' };

  it('reads the three parts and nothing else', () => {
    expect(parseInstanceKey(good)).toEqual(good);
    expect(parseInstanceKey({ ...good, more: 'x' } as typeof good)).toEqual(good);
  });

  it.each([
    ['account', '1'],
    ['account', ''],
    ['region', 'nowhere'],
    ['instance', 'i-1'],
  ])('refuses it when the %s is %j', (part, text) => {
    expect(parseInstanceKey({ ...good, [part]: text })).toBeUndefined();
  });

  it('is written as account, region and instance', () => {
    const key = parseInstanceKey(good);
    expect(key && instanceKeyText(key)).toBe('123456789012/eu-central-1/i-0abcdef1234567890');
  });
});

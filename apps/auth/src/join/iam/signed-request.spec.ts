import { beforeAll, describe, expect, it } from '@jest/globals';
import { createKey } from '@tagplane/credentials';
import { ANY_KEYS, STS_HOST, signCall } from '../../testing/signed-caller.ts';
import type { CallOptions } from '../../testing/signed-caller.ts';
import { GET_CALLER_IDENTITY, readSignedRequest } from './signed-request.ts';
import { STS_REGIONS, stsPartition } from './sts-hosts.ts';

const { publicKey } = createKey();
const claim = { nonce: 'the-nonce', publicKey };

describe('readSignedRequest', () => {
  let good: Record<string, string>;
  beforeAll(async () => {
    good = await signCall(ANY_KEYS, claim);
  });

  it('gives what is to be sent: what was signed, and the signature', () => {
    const read = readSignedRequest(
      { host: STS_HOST, headers: { ...good, 'user-agent': 'x', cookie: 'y' } },
      claim,
    );
    expect(read).toEqual({
      ok: true,
      request: {
        host: STS_HOST,
        headers: {
          accept: 'application/json',
          authorization: good['authorization'],
          'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
          'x-amz-content-sha256': good['x-amz-content-sha256'],
          'x-amz-date': good['x-amz-date'],
          'x-amz-security-token': 'token',
          'x-tagplane-key': good['x-tagplane-key'],
          'x-tagplane-nonce': 'the-nonce',
        },
      },
    });
  });

  it('takes one without a session token and with what SDKs add', async () => {
    const { accessKeyId, secretAccessKey } = ANY_KEYS;
    const headers = await signCall(
      { accessKeyId, secretAccessKey },
      {
        ...claim,
        headers: {
          accept: 'application/json',
          'content-length': '43',
          'amz-sdk-request': 'attempt=1; max=3',
        },
      },
    );
    const read = readSignedRequest({ host: STS_HOST, headers }, claim);
    expect(read).toMatchObject({ ok: true, request: { headers: { 'amz-sdk-request': 'attempt=1; max=3' } } });
  });

  it.each([
    ['another nonce', { nonce: 'another' }, 'it is signed for another challenge'],
    ['another key', { publicKey: createKey().publicKey }, 'it is signed for another key'],
    ['another host', { host: 'sts.us-east-1.amazonaws.com' }, 'it is signed for another host'],
    ['another service', { service: 'ec2' }, 'its authorization header is no signature'],
    [
      'another content type',
      { headers: { 'content-type': 'text/plain' } },
      'its content type is another one',
    ],
    ['a longer body', { headers: { 'content-length': '44' } }, 'its body is another one'],
    [
      'a header of another kind',
      { headers: { 'x-amz-target': 'x' } },
      'a header is signed that does not belong',
    ],
    ['an encoding', { headers: { 'content-encoding': 'gzip' } }, 'a header is signed that does not belong'],
  ] as [string, Partial<CallOptions>, string][])('refuses %s', async (_what, change, problem) => {
    const headers = await signCall(ANY_KEYS, { ...claim, ...change });
    const read = readSignedRequest({ host: STS_HOST, headers }, claim);
    expect(read.ok ? 'taken' : read.problem).toContain(problem);
  });

  const signed = (list: string) => (headers: Record<string, string>) => ({
    ...headers,
    authorization: headers['authorization']?.replace(/SignedHeaders=[^,]+/, `SignedHeaders=${list}`) ?? '',
  });
  const FULL =
    'content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token;x-tagplane-key;x-tagplane-nonce';
  it.each([
    ['no authorization', (h) => ({ ...h, authorization: '' }), 'its header authorization is malformed'],
    ['none at all', ({ authorization: _, ...h }) => h, 'its authorization header is no signature'],
    [
      'another algorithm',
      (h) => ({ ...h, authorization: 'AWS4-ECDSA-P256-SHA256 x' }),
      'no signature (SigV4)',
    ],
    [
      'something after the signature',
      (h) => ({ ...h, authorization: `${h['authorization'] ?? ''}, SignedHeaders=host` }),
      'no signature (SigV4)',
    ],
    [
      'an unsigned nonce',
      signed(FULL.replace(';x-tagplane-nonce', '')),
      'its header x-tagplane-nonce is not signed',
    ],
    [
      'an unsigned key',
      signed(FULL.replace(';x-tagplane-key', '')),
      'its header x-tagplane-key is not signed',
    ],
    ['an unsigned host', signed(FULL.replace('host;', '')), 'its header host is not signed'],
    ['an unsigned date', signed(FULL.replace('x-amz-date;', '')), 'its header x-amz-date is not signed'],
    ['an unsigned type', signed(FULL.replace('content-type;', '')), 'its header content-type is not signed'],
    [
      'an unsigned token',
      signed(FULL.replace('x-amz-security-token;', '')),
      'x-amz-security-token is not signed',
    ],
    ['a header signed twice', signed(`host;${FULL}`), 'a header is signed twice'],
    [
      'a signed header that is not there',
      signed(`accept;${FULL}`),
      'its header accept is signed, and not there',
    ],
    [
      'a name in capitals',
      (h) => ({ ...h, Host: STS_HOST }),
      'a header has a name that is not in lower case',
    ],
    ['a line in a value', (h) => ({ ...h, accept: 'a\r\nx: y' }), 'its header accept is malformed'],
    ['other letters in a value', (h) => ({ ...h, accept: 'ä' }), 'its header accept is malformed'],
    ['a very long value', (h) => ({ ...h, accept: 'a'.repeat(8_193) }), 'its header accept is malformed'],
    [
      'long values',
      (h) => ({ ...h, a: 'a'.repeat(8_000), b: 'b'.repeat(8_000) }),
      'its headers are too long',
    ],
    [
      'many headers',
      (h) => ({ ...h, ...Object.fromEntries(Array.from({ length: 24 }, (_, n) => [`h${n}`, 'x'])) }),
      'it has too many headers',
    ],
  ] as [string, (headers: Record<string, string>) => Record<string, string>, string][])(
    'refuses %s',
    (_what, change, problem) => {
      const read = readSignedRequest({ host: STS_HOST, headers: change(good) }, claim);
      expect(read.ok ? 'taken' : read.problem).toContain(problem);
    },
  );

  it('is about one body', () => {
    expect(GET_CALLER_IDENTITY).toBe('Action=GetCallerIdentity&Version=2011-06-15');
  });
});

describe('the hosts of STS', () => {
  it.each([
    ['sts.amazonaws.com', 'aws'],
    ['sts.eu-central-1.amazonaws.com', 'aws'],
    ['sts.cn-north-1.amazonaws.com.cn', 'aws-cn'],
    ['sts.us-gov-west-1.amazonaws.com', 'aws-us-gov'],
    ['sts.us-iso-east-1.c2s.ic.gov', 'aws-iso'],
    ['STS.amazonaws.com', undefined],
    ['sts.amazonaws.com.', undefined],
    ['sts.amazonaws.com.evil.example', undefined],
    ['sts.eu-central-9.amazonaws.com', undefined],
    ['sts.cn-north-1.amazonaws.com', undefined],
    ['sts.amazonaws.com:443', undefined],
    ['sts.amazonaws.com@evil.example', undefined],
    ['169.254.169.254', undefined],
    ['localhost', undefined],
    ['constructor', undefined],
    ['', undefined],
  ])('%s: %s', (host, partition) => {
    expect(stsPartition(host)).toBe(partition);
  });

  it('are of regions, each once', () => {
    expect(new Set(STS_REGIONS).size).toBe(STS_REGIONS.length);
  });
});

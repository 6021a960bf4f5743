import { createHash, createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createKey } from '@tagplane/credentials';
import { parseRegion, sha256Hex } from '@tagplane/identity';
import { sampleInstance, startFakeMetadata } from '../testing/index.ts';
import { ec2Proof } from './ec2.ts';
import { iamProof } from './iam.ts';
import type { IamContext } from './iam.ts';
import type { JoinBy } from './settings.ts';
import { signForm } from './sigv4.ts';
import { stsHost } from './sts-host.ts';
import { tokenProof } from './token.ts';

const signal = new AbortController().signal;
const IDENTITY = '/latest/dynamic/instance-identity';
const KEYS = '/latest/meta-data/identity-credentials/ec2/security-credentials/ec2-instance';
const ROLE_KEYS = JSON.stringify({
  Code: 'Success',
  AccessKeyId: 'ASIAINSTANCE',
  SecretAccessKey: 'instance-secret',
  Token: 'session-token',
});
const CHALLENGE = { nonce: 'n'.repeat(43), cluster: 'main', publicKey: createKey().publicKey };
const BODY = 'Action=GetCallerIdentity&Version=2011-06-15';

type ByIam = Extract<JoinBy, { method: 'iam' }>;
const BY_INSTANCE: ByIam = { method: 'iam', credentials: 'instance', region: undefined };

/** AWS Signature Version 4, written out from its description: what STS computes. */
function signatureOf(headers: Record<string, string>, secret: string): string {
  const [, scope = '', names = ''] =
    /Credential=[^/]+\/([^,]+), SignedHeaders=([^,]+)/.exec(headers['authorization'] ?? '') ?? [];
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');
  const canonical = [
    ...['POST', '/', ''],
    ...names.split(';').map((name) => `${name}:${headers[name] ?? ''}`),
    ...['', names, hash(BODY)],
  ].join('\n');
  const key = scope
    .split('/')
    .reduce<Buffer>(
      (sum, part) => createHmac('sha256', sum).update(part).digest(),
      Buffer.from(`AWS4${secret}`),
    );
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, hash(canonical)].join('\n');
  return createHmac('sha256', key).update(text).digest('hex');
}

async function iamHeaders(by: ByIam, context: Partial<IamContext> & Pick<IamContext, 'env'>) {
  const proof = await iamProof(by, CHALLENGE, { instance: undefined, signal, ...context });
  if (proof.case !== 'iam') throw new Error('no proof by a role');
  const { host, headers, region } = proof.value;
  return { host, region, headers: headers as Record<string, string> };
}

describe('by a token', () => {
  it('is what the file holds at that time', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'token-'));
    const tokenFile = join(directory, 'token');
    await writeFile(tokenFile, 'tp-1\n');
    expect(await tokenProof({ tokenFile })).toEqual({ case: 'token', value: { token: 'tp-1' } });
    await rm(directory, { recursive: true });
  });
});

describe('by an AWS role', () => {
  it('signs, with the keys of the instance, the nonce and the key to be certified', async () => {
    using metadata = await startFakeMetadata({
      [KEYS]: ROLE_KEYS,
      '/latest/meta-data/placement/region': 'eu-central-1\n',
    });
    const { host, region, headers } = await iamHeaders(BY_INSTANCE, { env: metadata.env });
    expect([host, region]).toEqual(['sts.eu-central-1.amazonaws.com', 'eu-central-1']);
    expect(headers).toMatchObject({
      host,
      'x-tagplane-nonce': CHALLENGE.nonce,
      'x-tagplane-key': sha256Hex(CHALLENGE.publicKey),
      'x-amz-security-token': 'session-token',
      authorization: expect.stringMatching(
        /^AWS4-HMAC-SHA256 Credential=ASIAINSTANCE\/\d{8}\/eu-central-1\/sts\//,
      ),
    });
    const [, signed = ''] = /SignedHeaders=([^,]+)/.exec(headers['authorization'] ?? '') ?? [];
    const all = Object.keys(headers).filter((name) => name !== 'authorization');
    expect(signed.split(';')).toEqual(all.sort());
    expect(headers['authorization']).toContain(`Signature=${signatureOf(headers, 'instance-secret')}`);
    expect(JSON.stringify(headers)).not.toContain('instance-secret');
  });

  it.each([
    ['auto', { AWS_REGION: 'us-east-1' }, undefined, 'sts.us-east-1.amazonaws.com'],
    ['instance', { AWS_DEFAULT_REGION: 'us-gov-west-1' }, undefined, 'sts.us-gov-west-1.amazonaws.com'],
    ['instance', { AWS_REGION: 'us-east-1' }, sampleInstance('0'), 'sts.eu-central-1.amazonaws.com'],
  ] as const)(
    'with credentials %s, %j: asks the STS of the region',
    async (credentials, env, instance, host) => {
      using metadata = await startFakeMetadata({ [KEYS]: ROLE_KEYS });
      const by = { ...BY_INSTANCE, credentials };
      const proof = await iamHeaders(by, { env: { ...metadata.env, ...env }, instance });
      expect(proof.host).toBe(host);
      expect(proof.headers['authorization']).toContain('Credential=ASIAINSTANCE/');
    },
  );

  it('finds keys where AWS tools do, when the instance has none of its own', async () => {
    using metadata = await startFakeMetadata({});
    const before = { ...process.env };
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIACHAIN', AWS_SECRET_ACCESS_KEY: 'chain-secret' });
    try {
      const by: ByIam = { method: 'iam', credentials: 'auto', region: parseRegion('cn-north-1') };
      const { host, headers } = await iamHeaders(by, metadata);
      expect(host).toBe('sts.cn-north-1.amazonaws.com.cn');
      expect(headers['authorization']).toContain('Credential=AKIACHAIN/');
      expect(headers['authorization']).toContain(`Signature=${signatureOf(headers, 'chain-secret')}`);
    } finally {
      process.env = before;
    }
  });

  it.each<[string, Record<string, string | number>, ByIam, RegExp]>([
    ['no keys', {}, BY_INSTANCE, /^instance metadata: it has no such document/],
    ['keys that are refused', { [KEYS]: 403 }, BY_INSTANCE, /switched off/],
    ['keys that are none', { [KEYS]: 'SECRET' }, BY_INSTANCE, /no keys of the instance-identity role/],
    ['no region', { [KEYS]: ROLE_KEYS }, BY_INSTANCE, /set join\.iam\.region/],
  ])('says what is missing: %s', async (_, answers, by, message) => {
    using metadata = await startFakeMetadata(answers);
    const problem = await iamHeaders(by, metadata).catch((error: unknown) => error);
    expect(problem).toMatchObject({ message: expect.stringMatching(message) });
    expect(String(problem)).not.toContain('SECRET');
  });

  it('signs as AWS does, in its own example', async () => {
    // AWS's test suite for Signature Version 4, "post-vanilla": same keys, date and scope; other headers.
    const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
    const request = {
      host: 'example.amazonaws.com',
      region: 'us-east-1',
      service: 'sts',
      body: BODY,
      headers: {},
    };
    const headers = await signForm(request, keys, new Date('2015-08-30T12:36:00Z'));
    expect(headers['x-amz-date']).toBe('20150830T123600Z');
    expect(headers['authorization']).toContain('Credential=AKIDEXAMPLE/20150830/us-east-1/sts/aws4_request');
    expect(headers['authorization']).toContain(`Signature=${signatureOf(headers, keys.secretAccessKey)}`);
  });
});

describe('stsHost', () => {
  it.each([
    ['eu-central-1', 'sts.eu-central-1.amazonaws.com'],
    ['us-gov-east-1', 'sts.us-gov-east-1.amazonaws.com'],
    ['cn-northwest-1', 'sts.cn-northwest-1.amazonaws.com.cn'],
    ['us-iso-east-1', 'sts.us-iso-east-1.c2s.ic.gov'],
    ['us-isob-east-1', 'sts.us-isob-east-1.sc2s.sgov.gov'],
    ['eusc-de-east-1', 'sts.eusc-de-east-1.amazonaws.eu'],
  ])('%s: %s', (text, host) => {
    const region = parseRegion(text);
    if (region === undefined) throw new Error(text);
    expect(stsHost(region)).toBe(host);
  });
});

describe('by an instance', () => {
  it('sends the document in PKCS#7, as metadata gives it', async () => {
    using metadata = await startFakeMetadata({ [`${IDENTITY}/rsa2048`]: 'MIAG\nCSqG' });
    expect(await ec2Proof(metadata.env, signal)).toEqual({
      case: 'ec2',
      value: { signature: { case: 'pkcs7', value: 'MIAG\nCSqG' } },
    });
  });

  it('sends document and signature where there is none, byte for byte', async () => {
    const document = '{\n  "instanceId" : "i-1"\n}';
    using metadata = await startFakeMetadata({
      [`${IDENTITY}/document`]: document,
      [`${IDENTITY}/signature`]: 'c2ln',
    });
    expect(await ec2Proof(metadata.env, signal)).toEqual({
      case: 'ec2',
      value: { document: Buffer.from(document), signature: { case: 'rsa', value: 'c2ln' } },
    });
  });

  it.each<[string, Record<string, string | number>, Record<string, string>, RegExp]>([
    ['it has neither', {}, {}, /no such document/],
    ['it fails', { [`${IDENTITY}/rsa2048`]: 500 }, {}, /answered 500/],
    ['it is not to be asked', {}, { AWS_EC2_METADATA_DISABLED: 'true' }, /DISABLED is set/],
  ])('says why not: %s', async (_, answers, env, message) => {
    using metadata = await startFakeMetadata(answers);
    await expect(ec2Proof({ ...metadata.env, ...env }, signal)).rejects.toThrow(message);
  });
});

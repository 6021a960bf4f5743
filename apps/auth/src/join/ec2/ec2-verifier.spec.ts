import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { parseAccountId, parseRegion } from '@tagplane/identity';
import { MINUTE, SECOND } from '@tagplane/runtime';
import { createDocumentSigner } from '../../testing/aws-documents.ts';
import type { DocumentSigner } from '../../testing/aws-documents.ts';
import { joinField } from '../config.ts';
import type { JoinClaim, Verdict } from '../verifier.ts';
import { createEc2Verifier } from './ec2-verifier.ts';

const NOW = Date.parse('2026-11-22T12:00:00Z');
const ACCOUNT = parseAccountId('123456789012');
const REGION = parseRegion('eu-central-1');
const DOCUMENT = {
  accountId: '123456789012',
  region: 'eu-central-1',
  instanceId: 'i-0123456789abcdef0',
  pendingTime: '2026-11-22T11:59:00Z',
  privateIp: '10.0.0.5',
  billingProducts: null,
};
const CLAIM: JoinClaim = {
  ...{ role: 'agent', name: '', nonce: 'n', publicKey: new Uint8Array(), cluster: 'test' },
  remoteAddress: '::ffff:10.0.0.5',
};
const signal = new AbortController().signal;

describe('joining by an identity document', () => {
  let aws: DocumentSigner;
  let stale: DocumentSigner;
  beforeAll(async () => {
    const notBefore = new Date('2026-01-01');
    aws = await createDocumentSigner({ notBefore, notAfter: new Date('2030-01-01') });
    stale = await createDocumentSigner({ notBefore, notAfter: new Date('2026-11-01') });
  });

  interface Options {
    readonly document?: Record<string, unknown> | string;
    readonly by?: 'rsa' | 'pkcs7';
    readonly signer?: DocumentSigner;
    readonly rules?: object;
    readonly claim?: Partial<JoinClaim>;
    /** What is presented instead of what was signed. */
    readonly presented?: Record<string, unknown>;
    readonly now?: number;
    readonly regions?: readonly string[];
  }

  async function verify(options: Options = {}): Promise<Verdict> {
    const { document = DOCUMENT, by = 'rsa', signer = aws, rules = {}, claim = {}, regions = [] } = options;
    const config = joinField.parse({
      ec2: { allow: [{ account: ACCOUNT }], certificates: { [String(REGION)]: 'aws.pem' }, ...rules },
    }).ec2;
    if (config === undefined) throw new Error('no configuration');
    const certificates = [aws, stale].map(({ certificate }) => new X509Certificate(certificate));
    const verifier = createEc2Verifier({
      config,
      certificates: new Map([
        [String(REGION), certificates],
        ...regions.map((each) => [each, certificates] as const),
      ]),
      now: () => options.now ?? NOW,
    });
    const bytes = Buffer.from(typeof document === 'string' ? document : JSON.stringify(document));
    const presented =
      options.presented === undefined ? bytes : Buffer.from(JSON.stringify(options.presented));
    const signature =
      by === 'rsa'
        ? ({ case: 'rsa', value: signer.rsa(bytes) } as const)
        : ({ case: 'pkcs7', value: signer.pkcs7(bytes) } as const);
    const proof = { document: by === 'rsa' ? presented : Buffer.from('unused'), signature };
    return await verifier.verify(proof, { ...CLAIM, ...claim }, { signal });
  }

  it.each(['rsa', 'pkcs7'] as const)('proves the instance by %s, once', async (by) => {
    expect(await verify({ by })).toEqual({
      ok: true,
      proof: 'document of 123456789012/eu-central-1/i-0123456789abcdef0',
      instance: { account: ACCOUNT, region: REGION, instance: DOCUMENT.instanceId },
      once: true,
    });
  });

  const at = (ms: number) => ({ ...DOCUMENT, pendingTime: new Date(NOW + ms).toISOString() });
  it.each([
    ['just started', at(0)],
    ['as old as it may be, and a clock 10 min ahead', at(-15 * MINUTE)],
    ['10 min in the future: a clock behind', at(10 * MINUTE)],
    ['of whole seconds', { ...DOCUMENT, pendingTime: '2026-11-22T12:00:00Z' }],
  ])('takes one that is %s', async (_what, document) => {
    expect(await verify({ document })).toMatchObject({ ok: true });
  });

  const noSignature = 'the identity document is not signed by AWS';
  const malformed = 'the identity document is malformed';
  it.each([
    ['altered', { presented: { ...DOCUMENT, instanceId: 'i-0123456789abcdef1' } }, noSignature],
    ['too old', { document: at(-15 * MINUTE - SECOND) }, 'the instance was started too long ago'],
    ['of the future', { document: at(10 * MINUTE + SECOND) }, 'the instance was started in the future'],
    [
      'of another account',
      { document: { ...DOCUMENT, accountId: '210987654321' } },
      'no rule lets instances',
    ],
    ['of no region', { document: { ...DOCUMENT, region: 'here' } }, malformed],
    ['without a time', { document: { ...DOCUMENT, pendingTime: undefined } }, malformed],
    ['of a time that is none', { document: { ...DOCUMENT, pendingTime: 'today' } }, malformed],
    ['no JSON', { document: 'hello' }, malformed],
    ['no object', { document: '[]' }, malformed],
    ['no UTF-8', { document: '\ud800' }, malformed],
    [
      'of a region without certificates',
      { document: { ...DOCUMENT, region: 'us-east-1' } },
      'there is no certificate of AWS for us-east-1 here',
    ],
    [
      'of a region that the rules leave out',
      {
        document: { ...DOCUMENT, region: 'us-east-1' },
        regions: ['us-east-1'],
        rules: { allow: [{ account: ACCOUNT, regions: [REGION] }] },
      },
      'no rule lets instances',
    ],
  ] as [string, Options, string][])('refuses one that is %s', async (_what, options, reason) => {
    expect(await verify(options)).toMatchObject({ ok: false, code: 'denied' });
    const verdict = await verify(options);
    expect(verdict.ok ? '' : verdict.reason).toContain(reason);
  });

  it('refuses one signed with a certificate that has run out', async () => {
    expect(await verify({ signer: stale })).toMatchObject({ ok: false, reason: noSignature });
    expect(
      await verify({
        signer: stale,
        now: Date.parse('2026-10-01'),
        document: {
          ...DOCUMENT,
          pendingTime: '2026-10-01T00:00:00Z',
        },
      }),
    ).toMatchObject({ ok: true });
  });

  it.each([
    ['discovery', 'by an instance, one joins as agent only'],
    ['operator', 'by an instance, one joins as agent only'],
  ] as const)('refuses a %s', async (role, reason) => {
    expect(await verify({ claim: { role } })).toMatchObject({ ok: false, reason });
  });

  it.each([
    ['the private one', '10.0.0.5', true],
    ['the private one through a socket of IPv6', '::ffff:10.0.0.5', true],
    ['another one', '10.0.0.50', false],
    ['none', undefined, false],
  ])('holds the address against the document if it is to: %s', async (_what, remoteAddress, ok) => {
    const rules = { check_address: true };
    expect(await verify({ rules, claim: { remoteAddress } })).toMatchObject({ ok });
    expect(await verify({ claim: { remoteAddress } })).toMatchObject({ ok: true });
    const nowhere = { ...DOCUMENT, privateIp: undefined };
    expect(await verify({ document: nowhere, rules, claim: { remoteAddress } })).toMatchObject({ ok: false });
  });

  it.each([
    ['no base64', { document: new Uint8Array(1), signature: { case: 'rsa', value: 'ä' } }],
    ['nothing', { document: new Uint8Array(1), signature: { case: 'pkcs7', value: '' } }],
    ['no signature', { document: new Uint8Array(1), signature: { case: undefined } }],
    ['no PKCS#7', { document: new Uint8Array(1), signature: { case: 'pkcs7', value: 'AAAA' } }],
  ] as const)('refuses %s', async (_what, proof) => {
    const config = { allow: [], max_age: MINUTE, check_address: false };
    const verifier = createEc2Verifier({ config, certificates: new Map(), now: () => NOW });
    expect(await verifier.verify(proof, CLAIM, { signal })).toMatchObject({ ok: false, reason: malformed });
  });
});

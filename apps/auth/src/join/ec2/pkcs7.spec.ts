import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { OIDS, createDocumentSigner } from '../../testing/aws-documents.ts';
import type { DocumentSigner, Pkcs7Options } from '../../testing/aws-documents.ts';
import { readSignedContent } from './pkcs7.ts';

const DOCUMENT = Buffer.from(`{"accountId":"123456789012","padding":"${'x'.repeat(300)}"}`);
const validity = { notBefore: new Date('2026-01-01'), notAfter: new Date('2030-01-01') };

describe('readSignedContent', () => {
  let aws: DocumentSigner;
  let certificate: X509Certificate;
  let other: X509Certificate;
  beforeAll(async () => {
    aws = await createDocumentSigner(validity);
    certificate = new X509Certificate(aws.certificate);
    other = new X509Certificate((await createDocumentSigner(validity)).certificate);
  });

  const bytesOf = (options?: Pkcs7Options): Buffer => Buffer.from(aws.pkcs7(DOCUMENT, options), 'base64');

  it.each([
    ['in pieces of indefinite length', { indefinite: true }],
    ['in DER', { indefinite: false }],
  ])('reads what EC2 writes %s', (_form, options) => {
    const signed = readSignedContent(bytesOf(options));
    expect(signed?.content).toEqual(DOCUMENT);
    expect(signed?.isSignedBy(certificate)).toBe(true);
    expect(signed?.isSignedBy(other)).toBe(false);
  });

  it.each([
    ['attributes of another content', { digestOf: Buffer.from('{}') }],
    ['no signed attributes', { signedAttributes: false }],
    ['two signers', { signers: 2 }],
    ['no signer', { signers: 0 }],
    ['another digest', { digest: OIDS.sha1 }],
    ['another kind of content', { contentType: OIDS.signedData }],
  ] as [string, Pkcs7Options][])('refuses one with %s', (_what, options) => {
    expect(readSignedContent(bytesOf(options))).toBeUndefined();
  });

  it('refuses one that was altered, wherever', () => {
    const bytes = bytesOf();
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, bits) => {
        const altered = Buffer.from(bytes);
        altered[at] = (altered[at] ?? 0) ^ bits;
        const signed = readSignedContent(altered);
        const good = signed?.isSignedBy(certificate) === true;
        // Some bytes mean nothing: the version, the issuer. The content is another one in no case.
        if (good) expect(signed.content).toEqual(DOCUMENT);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('hello')],
    ['deep nesting', Buffer.from('3080'.repeat(6_000), 'hex')],
    ['many elements', Buffer.from(`30821000${'0500'.repeat(2_048)}`, 'hex')],
  ])('refuses %s', (_what, bytes) => {
    expect(readSignedContent(bytes)).toBeUndefined();
  });

  it('refuses one that is cut off, wherever', () => {
    const bytes = bytesOf({ indefinite: false });
    for (let end = 0; end < bytes.length; end += 7) {
      const signed = readSignedContent(bytes.subarray(0, end));
      expect([end, signed?.isSignedBy(certificate) ?? false]).toEqual([end, false]);
    }
  });
});

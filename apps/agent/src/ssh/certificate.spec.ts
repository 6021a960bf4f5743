import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readCertificate } from './certificate.ts';
import { encodeCertificate } from './testing/encode.ts';
import { madeBySshKeygen } from './testing/made-by-ssh-keygen.ts';
import { CertificateError } from './wire-reader.ts';

const made = await madeBySshKeygen();

describe('a certificate that ssh-keygen made', () => {
  it.each(made)('says what ssh-keygen says: $name', ({ certificate, ...said }) => {
    const read = readCertificate(certificate);
    expect({
      keyId: read.keyId,
      serial: String(read.serial),
      type: read.type,
      principals: read.principals,
      criticalOptions: [...read.criticalOptions.keys()],
      extensions: [...read.extensions.keys()],
    }).toEqual({
      keyId: said.keyId,
      serial: said.serial,
      type: said.type,
      principals: said.principals,
      criticalOptions: said.criticalOptions,
      extensions: said.extensions,
    });
  });

  it('has the times of its validity', () => {
    const [first] = made;
    expect(readCertificate(first?.certificate ?? '')).toMatchObject({
      validAfter: BigInt(Date.UTC(2026, 0, 1) / 1_000),
      validBefore: BigInt(Date.UTC(2036, 0, 1) / 1_000),
    });
  });

  it.each(made)('is none at any other length: $name', ({ certificate }) => {
    const bytes = Buffer.from(certificate, 'base64');
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => readCertificate(bytes.subarray(0, length).toString('base64'))).toThrow(CertificateError);
    }
    const longer = Buffer.concat([bytes, Buffer.alloc(1)]).toString('base64');
    expect(() => readCertificate(longer)).toThrow(/followed by something else/);
  });
});

const option = fc.tuple(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
);
const options = fc.uniqueArray(option, { selector: ([name]) => name, maxLength: 8 });
const parts = fc.record({
  serial: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  type: fc.constantFrom(1, 2),
  keyId: fc.string({ unit: 'grapheme', maxLength: 40 }),
  principals: fc.uniqueArray(fc.string({ unit: 'grapheme', maxLength: 20 }), { maxLength: 20 }),
  criticalOptions: options,
  extensions: options,
});

describe('any certificate', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(parts, (written) => {
        const read = readCertificate(encodeCertificate(written));
        expect(read).toMatchObject({
          ...{ serial: written.serial, keyId: written.keyId, principals: written.principals },
          type: written.type === 1 ? 'user' : 'host',
        });
        expect([...read.criticalOptions]).toEqual(written.criticalOptions);
        expect([...read.extensions]).toEqual(written.extensions);
      }),
      { numRuns: 1_000 },
    );
  });

  it('with any byte of it changed is read, or refused as a certificate is', () => {
    const bytes = Buffer.from(encodeCertificate({ principals: ['dev', 'ops'] }), 'base64');
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = Buffer.from(bytes);
        changed[at] = (bytes[at] ?? 0) ^ change;
        expectReadOrRefused(changed.toString('base64'));
      }),
      { numRuns: 5_000 },
    );
  });

  it('of any bytes at all is refused as a certificate is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expectReadOrRefused(Buffer.from(bytes).toString('base64'));
      }),
      { numRuns: 1_000 },
    );
  });
});

function expectReadOrRefused(text: string): void {
  try {
    readCertificate(text);
  } catch (error) {
    expect(error).toBeInstanceOf(CertificateError);
  }
}

describe('what is no certificate', () => {
  const many = (count: number): string[] => Array.from({ length: count }, (_, index) => `role-${index}`);
  const same: [string, Buffer][] = [
    ['a', Buffer.alloc(0)],
    ['a', Buffer.alloc(0)],
  ];

  it.each<[string, string, RegExp]>([
    ['nothing', '', /not base64/],
    ['a public key', 'AAAAC3NzaC1lZDI1NTE5AAAAIFCpIDsZ', /no certificate of a known kind/],
    ['a DSA certificate', encodeCertificate({ algorithm: 'ssh-dss-cert-v01@openssh.com' }), /known kind/],
    ['text around it', ` ${encodeCertificate({})}`, /not base64/],
    ['the other base64', encodeCertificate({ serial: 2n ** 64n - 1n }).replaceAll('/', '_'), /not base64/],
    ['more than an argument can be', 'A'.repeat(128 * 1024 + 4), /too long/],
    ['for somebody else', encodeCertificate({ type: 3 }), /neither a user nor a host/],
    ['a field too many', encodeCertificate({ keyFields: 2 }), /./],
    ['something at its end', encodeCertificate({ tail: Buffer.alloc(4) }), /followed by something else/],
    ['too many principals', encodeCertificate({ principals: many(257) }), /too many principals/],
    ['an extension twice', encodeCertificate({ extensions: same }), /its extensions name one twice/],
    ['an option twice', encodeCertificate({ criticalOptions: same }), /its critical options name one twice/],
  ])('is refused: %s', (_, text, why) => {
    expect(() => readCertificate(text)).toThrow(why);
    expect(() => readCertificate(text)).toThrow(CertificateError);
  });

  it('is not one with as many principals as OpenSSH takes', () => {
    expect(readCertificate(encodeCertificate({ principals: many(256) })).principals).toHaveLength(256);
  });

  it('is one whose names are no UTF-8', () => {
    const bytes = Buffer.from(encodeCertificate({ principals: ['d\u00e9v'] }), 'base64');
    bytes[bytes.indexOf(Buffer.from('\u00e9'))] = 0xff;
    expect(() => readCertificate(bytes.toString('base64'))).toThrow('a principal is not UTF-8');
  });
});

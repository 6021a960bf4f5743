import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { identifyCertificate, parsePin, publicKeyPin, sha256Hex } from './certificate.ts';

// Signed by itself, `CN=a stranger`, good for 100 years.
const STRANGER = new X509Certificate(`-----BEGIN CERTIFICATE-----
MIIBfjCCASSgAwIBAgIULhytsToOkpqvT73b7PXPnvbbnd8wCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKYSBzdHJhbmdlcjAgFw0yNjExMjIyMjI5MjNaGA8yMTI2MTAy
OTIyMjkyM1owFTETMBEGA1UEAwwKYSBzdHJhbmdlcjBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABHP5k4YeKeJ/tmt6RL2b5HlhXS6kREd4ZegqWG+2N9H3MxgiXjb3
L7getVJmfumsGnhfebMF5Y1hgCTjhYUB+uajUDBOMB0GA1UdDgQWBBT3hICM+qZZ
/r8IkLsKtbicWNq01zAfBgNVHSMEGDAWgBT3hICM+qZZ/r8IkLsKtbicWNq01zAM
BgNVHRMBAf8EAjAAMAoGCCqGSM49BAMCA0gAMEUCIGE2cC/djFE9DtJ/RW3xdxpZ
WnPJZe81qkSKySZkiCAuAiEA9xbAyhtKnHU0M3vpHNM94Eh12B+8IsS5WcokMKOb
sfs=
-----END CERTIFICATE-----`);

// Certificates of a cluster are identified in the tests of @tagplane/pki, which makes them.
describe('identifyCertificate', () => {
  it.each([
    ['nobody', []],
    ['itself', [STRANGER]],
  ])('makes nobody of a certificate that is none of ours, trusting %s', (_whom, authorities) => {
    const now = STRANGER.validFromDate.getTime() + 1;
    expect(identifyCertificate(STRANGER, { cluster: 'prod', authorities }, now).ok).toBe(false);
  });
});

describe('publicKeyPin', () => {
  it('is what openssl says: x509 -pubkey | pkey -pubin -outform der | sha256', () => {
    expect(publicKeyPin(STRANGER)).toBe(
      'sha256:e3906b37eac0e1ad35ed3b9af2c0714e33b133d5bb792592223de62a5ec1a70b',
    );
  });
});

describe('parsePin', () => {
  const hex = '0123456789abcdef'.repeat(4);

  it('reads a pin in either case', () => {
    expect(parsePin(`sha256:${hex}`)).toBe(`sha256:${hex}`);
    expect(parsePin(`SHA256:${hex.toUpperCase()}`)).toBe(`sha256:${hex}`);
  });

  it.each(['', 'sha256:', hex, `sha1:${hex}`, `sha256:${hex}0`, `sha256:${hex.slice(1)}`, ` sha256:${hex}`])(
    'refuses %j',
    (text) => {
      expect(parsePin(text)).toBeUndefined();
    },
  );

  it('reads every hash', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const pin = `sha256:${sha256Hex(bytes)}`;
        expect(parsePin(pin)).toBe(pin);
      }),
    );
  });
});

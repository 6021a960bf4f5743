import { verify } from 'node:crypto';
import type { X509Certificate } from 'node:crypto';
import { instanceKeyText } from '@tagplane/identity';
import type { Ec2Proof } from '@tagplane/protocol';
import { MINUTE } from '@tagplane/runtime';
import type { Ec2Config } from '../config.ts';
import type { JoinVerifier, Refusal } from '../verifier.ts';
import { denied } from '../verifier.ts';
import { decodeBase64 } from './base64.ts';
import type { IdentityDocument } from './identity-document.ts';
import { parseIdentityDocument } from './identity-document.ts';
import { readSignedContent } from './pkcs7.ts';
import type { RegionCertificates } from './region-certificates.ts';

/** This process's clock may be wrong by as much, ahead or behind; EC2's is right. */
const CLOCK_TOLERANCE_MS = 10 * MINUTE;

/** A document, and how to find out whether AWS signed it. */
interface SignedDocument {
  readonly bytes: Uint8Array;
  isSignedBy(certificate: X509Certificate): boolean;
}

type Proof = Pick<Ec2Proof, 'document' | 'signature'>;

/** Lets an instance in once, by its identity document, soon after it was started. */
export function createEc2Verifier(options: {
  readonly config: Pick<Ec2Config, 'allow' | 'max_age' | 'check_address'>;
  readonly certificates: RegionCertificates;
  readonly now: () => number;
}): JoinVerifier<Proof> {
  const { config, certificates, now } = options;
  return {
    verify(proof, claim) {
      if (claim.role !== 'agent') return Promise.resolve(denied('by an instance, one joins as agent only'));
      const signed = readSigned(proof);
      const document = signed && parseIdentityDocument(signed.bytes);
      if (signed === undefined || document === undefined) {
        return Promise.resolve(denied('the identity document is malformed'));
      }
      const time = now();
      const known = (certificates.get(document.instance.region) ?? []).filter((each) => isValid(each, time));
      if (known.length === 0) {
        return Promise.resolve(denied(`there is no certificate of AWS for ${document.instance.region} here`));
      }
      if (!known.some((certificate) => signed.isSignedBy(certificate))) {
        return Promise.resolve(denied('the identity document is not signed by AWS'));
      }
      const refusal = documentRefusal(document, { config, now: time, remoteAddress: claim.remoteAddress });
      const { instance } = document;
      return Promise.resolve(
        refusal ?? { ok: true, proof: `document of ${instanceKeyText(instance)}`, instance, once: true },
      );
    },
  };
}

function readSigned({ document, signature }: Proof): SignedDocument | undefined {
  const bytes = signature.value === undefined ? undefined : decodeBase64(signature.value);
  if (bytes === undefined) return undefined;
  if (signature.case === 'rsa') {
    return {
      bytes: document,
      isSignedBy: ({ publicKey }) => verify('sha256', document, publicKey, bytes),
    };
  }
  const signed = readSignedContent(bytes);
  return signed && { bytes: signed.content, isSignedBy: signed.isSignedBy.bind(signed) };
}

function isValid(certificate: X509Certificate, now: number): boolean {
  return now >= certificate.validFromDate.getTime() && now < certificate.validToDate.getTime();
}

/** Why a document that is AWS's word does not let its instance in. */
function documentRefusal(
  { instance, pendingTime, privateIp }: IdentityDocument,
  caller: {
    readonly config: Pick<Ec2Config, 'allow' | 'max_age' | 'check_address'>;
    readonly now: number;
    readonly remoteAddress: string | undefined;
  },
): Refusal | undefined {
  const { config, now, remoteAddress } = caller;
  const details = { instance: instanceKeyText(instance) };
  const allowed = config.allow.some(
    ({ account, regions }) =>
      account === instance.account && (regions === undefined || regions.includes(instance.region)),
  );
  if (!allowed) return denied('no rule lets instances of this account and region in', details);
  const age = now - pendingTime;
  if (age > config.max_age + CLOCK_TOLERANCE_MS) {
    return denied('the instance was started too long ago: start it again, or join another way', details);
  }
  if (age < -CLOCK_TOLERANCE_MS)
    return denied('the instance was started in the future: a clock is wrong', details);
  if (config.check_address && (privateIp === undefined || plainAddress(remoteAddress) !== privateIp)) {
    return denied('the address is not the private one of the instance', details);
  }
  return undefined;
}

/** IPv4 through a socket of IPv6 is `::ffff:10.0.0.1`. */
function plainAddress(address: string | undefined): string | undefined {
  return address?.replace(/^::ffff:/i, '');
}

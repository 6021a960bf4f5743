import type { Fleet } from '../fleet/fleet.ts';
import type { SimInstance } from '../fleet/instance.ts';
import { shapeOf } from '../fleet/shape.ts';
import type { StsControl } from '../sts/sts-control.ts';

/** Signs identity documents as AWS does, with a certificate that the tests have told the auth service. */
export interface DocumentSigner {
  /** Base64 of an RSA signature. */
  rsa(document: Buffer): string;
  /** Base64 of a PKCS#7 structure. */
  pkcs7(document: Buffer): string;
}

/** How an instance's metadata is set up (ModifyInstanceMetadataOptions). */
export interface ImdsSettings {
  /** `off` answers 403 to everything. Default `on`. */
  readonly mode: 'on' | 'off';
  /** Whether the instance's tags are among it. Default no. */
  readonly tags: boolean;
  /** From farther than this many hops nobody gets a token. Default 1. */
  readonly hopLimit: number;
}

export const DEFAULT_SETTINGS: ImdsSettings = { mode: 'on', tags: false, hopLimit: 1 };

export interface MetadataParts {
  readonly fleet: Fleet;
  readonly sts: StsControl;
  readonly signer: () => DocumentSigner | undefined;
}

const TAGS = '/latest/meta-data/tags/instance';
const IDENTITY = '/latest/dynamic/instance-identity';
/** Those that an instance has without a role (EC2 User Guide, "Instance identity roles"). */
const CREDENTIALS = '/latest/meta-data/identity-credentials/ec2/security-credentials/ec2-instance';
const CREDENTIALS_MS = 6 * 60 * 60 * 1000;

/** What instance metadata has at a path; undefined: nothing. */
export function metadataAt(
  path: string,
  instance: SimInstance,
  settings: ImdsSettings,
  parts: MetadataParts,
): string | undefined {
  if (path === TAGS || path.startsWith(`${TAGS}/`)) {
    return settings.tags ? tagsAt(path.slice(TAGS.length + 1), instance) : undefined;
  }
  if (path.startsWith(`${IDENTITY}/`)) return identityAt(path.slice(IDENTITY.length + 1), instance, parts);
  if (path === CREDENTIALS) return credentialsOf(instance, parts);
  return factsOf(instance).get(path.replace(/^\/latest\/meta-data\//, ''));
}

function factsOf(instance: SimInstance): ReadonlyMap<string, string> {
  const shape = shapeOf(instance);
  return new Map([
    ['instance-id', instance.id],
    ['instance-type', shape.instanceType],
    ['ami-id', shape.imageId],
    ['local-ipv4', shape.privateIp],
    ['local-hostname', shape.privateDnsName],
    ['hostname', shape.privateDnsName],
    ['reservation-id', instance.reservationId],
    ['placement/region', instance.region],
    ['placement/availability-zone', shape.zone],
  ]);
}

/** The keys, one a line, or one's value. */
function tagsAt(key: string, { tags }: SimInstance): string | undefined {
  if (key !== '') return tags.get(decodeURIComponent(key));
  return tags.size === 0 ? undefined : [...tags.keys()].join('\n');
}

function identityAt(
  name: string,
  instance: SimInstance,
  { signer, fleet }: MetadataParts,
): string | undefined {
  const document = Buffer.from(identityDocument(instance, fleet.options.now()));
  if (name === 'document') return document.toString('utf8');
  if (name === 'signature') return signer()?.rsa(document);
  return name === 'rsa2048' ? signer()?.pkcs7(document) : undefined;
}

/** In the layout that EC2 gives it: it is signed byte for byte. */
function identityDocument(instance: SimInstance, now: number): string {
  const shape = shapeOf(instance);
  const started = new Date(Math.min(instance.launchTime, now)).toISOString().replace(/\.\d{3}Z$/, 'Z');
  const facts = {
    ...{ accountId: instance.account, architecture: shape.architecture, availabilityZone: shape.zone },
    ...{ billingProducts: null, devpayProductCodes: null, marketplaceProductCodes: null },
    ...{ imageId: shape.imageId, instanceId: instance.id, instanceType: shape.instanceType },
    ...{ kernelId: null, pendingTime: started, privateIp: shape.privateIp, ramdiskId: null },
    ...{ region: instance.region, version: '2017-09-30' },
  };
  return JSON.stringify(facts, null, 2);
}

function credentialsOf(instance: SimInstance, { sts, fleet }: MetadataParts): string {
  const { account, region, id } = instance;
  const keys = sts.registerInstance({ account, region, id }, CREDENTIALS_MS);
  const now = fleet.options.now();
  return JSON.stringify({
    ...{ Code: 'Success', LastUpdated: new Date(now).toISOString(), Type: 'AWS-HMAC' },
    ...{ AccessKeyId: keys.accessKeyId, SecretAccessKey: keys.secretAccessKey, Token: keys.sessionToken },
    Expiration: new Date(now + CREDENTIALS_MS).toISOString(),
  });
}

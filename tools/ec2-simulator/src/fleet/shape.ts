import type { SimInstance } from './instance.ts';
import { hashText, hexOf, mix, pick } from './random.ts';

const TYPES = ['t3.medium', 'm6i.large', 'm7g.xlarge', 'c7g.2xlarge', 'r6i.4xlarge', 'c6a.large'] as const;
/** The VPCs of a region are a few. */
const VPCS = [0, 1, 2] as const;
const ZONES = ['a', 'b', 'c'] as const;

/** What follows from an instance's salt, the same in every answer. */
export interface InstanceShape {
  readonly imageId: string;
  readonly instanceType: string;
  readonly architecture: 'x86_64' | 'arm64';
  readonly zone: string;
  readonly vpcId: string;
  readonly subnetId: string;
  readonly groupId: string;
  readonly privateIp: string;
  readonly privateDnsName: string;
  readonly keyName: string;
}

export function shapeOf(instance: SimInstance): InstanceShape {
  const { region, salt } = instance;
  const zone = pick(ZONES, salt, 20);
  const instanceType = instance.instanceType ?? pick(TYPES, salt, 21);
  const vpc = pick(VPCS, salt, 29);
  const network = mix(hashText(`${instance.account}/${region}`), 22 + vpc);
  const place = instance.sequence;
  const privateIp = `10.${(place >>> 16) & 255}.${(place >>> 8) & 255}.${place & 255}`;
  const domain = region === 'us-east-1' ? 'ec2.internal' : `${region}.compute.internal`;
  return {
    imageId: instance.imageId ?? `ami-0${hexOf(mix(salt, 23) % 12, 24, 16)}`,
    instanceType,
    architecture: /^[a-z]+\d+g/.test(instanceType) ? 'arm64' : 'x86_64',
    zone: `${region}${zone}`,
    vpcId: `vpc-0${hexOf(network, 25, 16)}`,
    subnetId: `subnet-0${hexOf(network, 26 + zone.charCodeAt(0), 16)}`,
    groupId: `sg-0${hexOf(mix(salt, 27) % 20, 28, 16)}`,
    privateIp,
    privateDnsName: `ip-${privateIp.replaceAll('.', '-')}.${domain}`,
    keyName: 'fleet',
  };
}

export function platformDetails(windows: boolean): string {
  return windows ? 'Windows' : 'Linux/UNIX';
}

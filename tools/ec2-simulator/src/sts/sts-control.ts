import { randomBytes } from 'node:crypto';

/** What a client signs with. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Temporary credentials have one. */
  readonly sessionToken: string | undefined;
}

/** Whose credentials they are. */
export interface StsIdentity {
  readonly account: string;
  readonly arn: string;
  readonly userId: string;
}

export interface StsCredentials extends AwsKeys, StsIdentity {
  /** Unix milliseconds; undefined: never. */
  readonly expiresAt: number | undefined;
}

export interface InstanceOfRole {
  readonly account: string;
  readonly region: string;
  readonly id: string;
}

/** The credentials that STS knows. Others it refuses, where EC2 takes any. */
export class StsControl {
  readonly #known = new Map<string, StsCredentials>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Makes up what is not given; `sessionToken: ''` makes credentials that have none. */
  register(
    identity: StsIdentity & Partial<AwsKeys> & { readonly ttlMs?: number | undefined },
  ): StsCredentials {
    const { account, arn, userId, ttlMs } = identity;
    const token = identity.sessionToken ?? randomBytes(96).toString('base64');
    const credentials: StsCredentials = {
      account,
      arn,
      userId,
      accessKeyId: identity.accessKeyId ?? `ASIA${randomBytes(8).toString('hex').toUpperCase()}`,
      secretAccessKey: identity.secretAccessKey ?? randomBytes(30).toString('base64'),
      sessionToken: token === '' ? undefined : token,
      expiresAt: ttlMs === undefined ? undefined : this.#now() + ttlMs,
    };
    this.#known.set(credentials.accessKeyId, credentials);
    return credentials;
  }

  /** Those of an instance's own role, which instance metadata gives to the instance. */
  registerInstance({ account, region, id }: InstanceOfRole, ttlMs?: number): StsCredentials {
    const arn = `arn:${partitionOf(region)}:sts::${account}:assumed-role/aws:ec2-instance/${id}`;
    return this.register({ account, arn, userId: `${account}:aws:ec2-instance:${id}`, ttlMs });
  }

  get(accessKeyId: string): StsCredentials | undefined {
    return this.#known.get(accessKeyId);
  }
}

function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}

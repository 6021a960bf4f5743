import { randomBytes } from 'node:crypto';
import { partitionOf } from '../estate/estate.ts';

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
  /** The ARN of the role whose session they are. */
  readonly role: string | undefined;
  /** What AssumeRole was told to tag the session with. */
  readonly sessionTags: ReadonlyMap<string, string>;
}

/** What is not given is made up. */
export interface NewCredentials extends StsIdentity, Partial<AwsKeys> {
  readonly ttlMs?: number | undefined;
  /** Instead of `ttlMs`. */
  readonly expiresAt?: number;
  readonly role?: string;
  readonly sessionTags?: ReadonlyMap<string, string>;
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
  register(identity: NewCredentials): StsCredentials {
    const { account, arn, userId, ttlMs, role, sessionTags = new Map<string, string>() } = identity;
    const token = identity.sessionToken ?? randomBytes(96).toString('base64');
    const credentials: StsCredentials = {
      account,
      arn,
      userId,
      accessKeyId: identity.accessKeyId ?? `ASIA${randomBytes(8).toString('hex').toUpperCase()}`,
      secretAccessKey: identity.secretAccessKey ?? randomBytes(30).toString('base64'),
      sessionToken: token === '' ? undefined : token,
      expiresAt: identity.expiresAt ?? (ttlMs === undefined ? undefined : this.#now() + ttlMs),
      role,
      sessionTags,
    };
    this.#dropExpired();
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

  /** The sessions of roles that have not been forgotten. */
  get sessions(): readonly StsCredentials[] {
    return [...this.#known.values()].filter(({ role }) => role !== undefined);
  }

  /** So that a long run does not keep every session that there ever was. */
  #dropExpired(): void {
    if (this.#known.size < MAX_KNOWN) return;
    const now = this.#now();
    for (const [key, { expiresAt = Infinity }] of this.#known) if (expiresAt < now) this.#known.delete(key);
  }
}

const MAX_KNOWN = 10_000;

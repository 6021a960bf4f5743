import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { AssumeRoleCommandOutput } from '@aws-sdk/client-sts';
import type { Region } from '@tagplane/identity';
import { MINUTE } from '@tagplane/runtime';
import { AwsCallError } from './call-error.ts';
import type { AwsCredentialSource } from './client.ts';
import { callAws, clientSettings } from './client.ts';
import { createLimit } from './limit.ts';
import type { Limit } from './limit.ts';
import type { AwsCredentialProvider, SessionCredentials } from './role-cell.ts';
import { RoleCell } from './role-cell.ts';
import { RoleError } from './role-error.ts';
import { roleFix } from './role-fix.ts';

/** One role to assume. */
export interface RoleStep {
  readonly roleArn: string;
  readonly externalId?: string | undefined;
  /** As CloudTrail shows it. Default `tagplane-discovery`. */
  readonly sessionName?: string | undefined;
  /** Session tags; the role's trust policy must then allow sts:TagSession as well. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

export interface RolesOptions {
  /** Whose regional endpoint of STS is asked; its partition must be the roles'. */
  readonly region: Region;
  /** What the first role of a chain is assumed with. Default: the SDK's chain. */
  readonly base?: AwsCredentialSource | undefined;
  /** Default: AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL, then that of the region. */
  readonly endpoint?: string | undefined;
}

/** The credentials of a chain of roles. */
export interface RoleCredentials extends Disposable {
  /** For any of the SDK's clients. Rejects with a RoleError, which tells the role and what to do. */
  readonly provider: AwsCredentialProvider;
}

/** Roles that are assumed with the same credentials; chains share the roles that they begin with. */
export interface Roles extends Disposable {
  /** The same provider for the same chain. An empty chain is a RangeError. */
  provider(chain: readonly RoleStep[]): AwsCredentialProvider;
  /** Lets go of the credentials of a chain, but not of the roles that others begin with as well. */
  forget(chain: readonly RoleStep[]): void;
}

const SESSION_NAME = 'tagplane-discovery';
/** Two retries span some seconds; who needs the credentials comes again with its next scan. */
const MAX_ATTEMPTS = 3;
/** 400 accounts at 8 together and some 100 ms each are done in 5 s, far below STS's 600 a second. */
const CALLS_AT_ONCE = 8;
/** Three attempts of at most 30 s to the first byte would be more: a role is not worth the wait. */
const ASSUME_TIMEOUT_MS = MINUTE;

/**
 * The credentials of one chain of roles, each assumed with those before it. AWS lets sessions of a chain
 * live for an hour at most, which is what is asked for; they are kept, and refreshed ahead of their end.
 */
export function createRoleCredentials(
  options: RolesOptions & { readonly chain: readonly RoleStep[] },
): RoleCredentials {
  const roles = createRoles(options);
  const provider = roles.provider(options.chain);
  return {
    provider,
    [Symbol.dispose]: () => {
      roles[Symbol.dispose]();
    },
  };
}

/** Credentials of many chains, with each role of equal beginnings assumed once. */
export function createRoles({ region, base, endpoint }: RolesOptions): Roles {
  const stop = new AbortController();
  const root = new Node(base, { region, endpoint, stop: stop.signal, limit: createLimit(CALLS_AT_ONCE) });
  return {
    provider: (chain) => {
      const [first, ...rest] = chain;
      if (first === undefined) throw new RangeError('a chain has at least one role');
      let node = root.child(first);
      for (const step of rest) node = node.child(step);
      return node.provider;
    },
    forget: (chain) => {
      root.forget(chain);
    },
    [Symbol.dispose]: () => {
      stop.abort();
      root[Symbol.dispose]();
    },
  };
}

interface NodeOptions {
  readonly region: Region;
  readonly endpoint: string | undefined;
  readonly stop: AbortSignal;
  readonly limit: Limit;
}

/** The credentials of one beginning of chains, and what is assumed with them. */
class Node implements Disposable {
  readonly #credentials: AwsCredentialSource | undefined;
  readonly #options: NodeOptions;
  readonly #children = new Map<string, AssumedNode>();
  #client: STSClient | undefined;

  constructor(credentials: AwsCredentialSource | undefined, options: NodeOptions) {
    this.#credentials = credentials;
    this.#options = options;
  }

  child(step: RoleStep): AssumedNode {
    const known = this.#children.get(keyOf(step));
    if (known !== undefined) return known;
    const cell = new RoleCell(() => assume(this.#sts(), step, this.#options));
    const node = new AssumedNode(() => cell.get(), this.#options);
    this.#children.set(keyOf(step), node);
    return node;
  }

  /** Whether nothing is left under this one. */
  forget([step, ...rest]: readonly RoleStep[]): boolean {
    const child = step === undefined ? undefined : this.#children.get(keyOf(step));
    if (step === undefined || child === undefined) return this.#children.size === 0;
    if (child.forget(rest)) {
      child[Symbol.dispose]();
      this.#children.delete(keyOf(step));
    }
    return false;
  }

  [Symbol.dispose](): void {
    for (const child of this.#children.values()) child[Symbol.dispose]();
    this.#client?.destroy();
    this.#client = undefined;
  }

  #sts(): STSClient {
    const { region, endpoint } = this.#options;
    const where = { region, endpoint, credentials: this.#credentials };
    const limits = { maxAttempts: MAX_ATTEMPTS, connections: CALLS_AT_ONCE };
    return (this.#client ??= new STSClient(clientSettings(where, limits)));
  }
}

/** One that ends in a role. */
class AssumedNode extends Node {
  readonly provider: AwsCredentialProvider;

  constructor(provider: AwsCredentialProvider, options: NodeOptions) {
    super(provider, options);
    this.provider = provider;
  }
}

async function assume(client: STSClient, step: RoleStep, options: NodeOptions): Promise<SessionCredentials> {
  const { region, stop, limit } = options;
  const call = { service: 'STS', operation: 'AssumeRole', region, subject: step.roleArn };
  try {
    using _turn = await limit.acquire(stop);
    const answer = await callAws(call, { signal: stop, timeoutMs: ASSUME_TIMEOUT_MS }, (abortSignal) =>
      client.send(new AssumeRoleCommand(inputOf(step)), { abortSignal }),
    );
    return sessionOf(answer);
  } catch (error) {
    throw roleError(step, error, region);
  }
}

function inputOf({ roleArn, externalId, sessionName, tags }: RoleStep) {
  const pairs = Object.entries(tags ?? {});
  return {
    RoleArn: roleArn,
    RoleSessionName: sessionName ?? SESSION_NAME,
    ...(externalId === undefined ? {} : { ExternalId: externalId }),
    ...(pairs.length === 0 ? {} : { Tags: pairs.map(([Key, Value]) => ({ Key, Value })) }),
  };
}

function sessionOf({ Credentials: got }: AssumeRoleCommandOutput): SessionCredentials {
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = got ?? {};
  if (
    AccessKeyId === undefined ||
    SecretAccessKey === undefined ||
    SessionToken === undefined ||
    Expiration === undefined
  ) {
    const failure = {
      service: 'STS',
      operation: 'AssumeRole',
      kind: 'other',
      code: 'MalformedResponse',
    } as const;
    throw new AwsCallError(failure);
  }
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    expiration: Expiration,
  };
}

/** A step that failed because the one before it did is told as that one. */
function roleError(step: RoleStep, error: unknown, region: Region): RoleError {
  if (error instanceof RoleError) return error;
  const { kind, code } =
    error instanceof AwsCallError ? error : ({ kind: 'aborted', code: 'AbortError' } as const);
  const cause = error instanceof AwsCallError ? error.cause : error;
  const fix = roleFix(step, { kind, code, region, cause });
  return new RoleError({ roleArn: step.roleArn, kind, code, fix }, { cause: error });
}

function keyOf({ roleArn, externalId, sessionName, tags }: RoleStep): string {
  return JSON.stringify([
    roleArn,
    externalId ?? null,
    sessionName ?? SESSION_NAME,
    Object.entries(tags ?? {}).sort(),
  ]);
}

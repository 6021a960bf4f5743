import { randomUUID } from 'node:crypto';
import { parseServerId } from '@tagplane/identity';
import type { InstanceKey, ServerId } from '@tagplane/identity';
import type { Environment, Logger } from '@tagplane/runtime';
import { MINUTE, SECOND, jittered, sleep } from '@tagplane/runtime';
import type { AgentSettings } from './config.ts';
import type { AgentState } from './disk-state.ts';
import { certificateProblem } from './certified.ts';
import type { Certified } from './certified.ts';
import { equalRecords, settleIdentity } from './identity.ts';
import type { IdentityRecord, SettledIdentity } from './identity.ts';
import { askMetadata, metadataEndpoint } from './imds.ts';

export type IdentitySource = 'configured' | 'instance metadata' | 'this boot' | 'certificate' | 'none';

export interface IdentityOptions {
  readonly settings: AgentSettings;
  readonly state: AgentState;
  readonly boot: string;
  readonly env: Environment;
  readonly log: Logger;
  /** Whether the auth service names agents, by their certificates. */
  readonly named: boolean;
  /** By the certificate that was kept. */
  readonly certified?: Certified | undefined;
}

/** What a later answer of instance metadata, or another certificate, changed. */
export interface IdentityChange {
  /** The agent speaks for another server id now. */
  readonly renamed: boolean;
  /** Why the labels held are another server's; undefined: they are not. */
  readonly discard: string | undefined;
  /** Why the certificate held is not this agent's to use; undefined: it is. */
  readonly foreign: string | undefined;
}

/** Asked again after 5 s, then twice as long each time, up to 10 min: it may be switched on later. */
const RETRY_FIRST_MS = 5 * SECOND;
const RETRY_LONGEST_MS = 10 * MINUTE;

/** Who this agent is: its server id, and the EC2 instance it runs on. */
export class AgentIdentity {
  readonly #options: IdentityOptions;
  #found: Found;
  #decision: Decision;

  private constructor(options: IdentityOptions, found: Found, decision: Decision) {
    this.#options = options;
    this.#found = found;
    this.#decision = decision;
  }

  /**
   * Settles who the agent is, asking instance metadata once (a second at most) when it has to.
   *
   * @throws ConfigError when that cannot be kept on disk
   */
  static async settle(options: IdentityOptions, signal: AbortSignal): Promise<AgentIdentity> {
    const { state, log, certified } = options;
    const before = await state.readIdentity();
    const found = await find(options, before, signal);
    const decision = decide(options, { before, provisional: false, certified, instance: found.instance });
    if (isToBeKept(before, decision)) await state.writeIdentity(decision.record);
    if (decision.discard !== undefined) {
      log.warn({ event: 'identity_changed', reason: decision.discard, server_id: decision.record.serverId });
    }
    return new AgentIdentity(options, found, decision);
  }

  get serverId(): ServerId {
    return this.#decision.record.serverId;
  }

  /** Whether the server id stands in only until the auth service has given one. */
  get provisional(): boolean {
    return this.#decision.provisional;
  }

  /** The instance to speak for; undefined: not known. */
  get instance(): InstanceKey | undefined {
    return this.#decision.instance ?? this.#decision.certified?.instance;
  }

  /** The instance, known otherwise than by the certificate. */
  get ownInstance(): InstanceKey | undefined {
    return this.#decision.instance;
  }

  /** The last instance known for certain: whose labels the disk may have. */
  get recordedInstance(): InstanceKey | undefined {
    return this.#decision.record.instance ?? this.#decision.certified?.instance;
  }

  get source(): IdentitySource {
    if (this.#decision.instance !== undefined) return this.#found.source;
    return this.instance === undefined ? 'none' : 'certificate';
  }

  /** Why the instance is not known. */
  get problem(): string | undefined {
    return this.instance === undefined ? this.#found.problem : undefined;
  }

  /** Why the certificate that was kept is not this agent's to use; undefined: it is, or there was none. */
  get foreign(): string | undefined {
    return this.#decision.foreign;
  }

  /** The agent got this certificate. */
  async certify(certified: Certified): Promise<IdentityChange> {
    return await this.#decide({ certified, instance: this.#found.instance });
  }

  /**
   * Asks instance metadata again, ever more slowly, until it answers or the signal aborts. Ends at once
   * when there is nothing to ask.
   *
   * @param onChange called when the answer is there; awaited
   */
  async watch(signal: AbortSignal, onChange: (change: IdentityChange) => Promise<void>): Promise<void> {
    const { settings, env, log } = this.#options;
    const endpoint = metadataEndpoint(env);
    if (settings.instance !== undefined || settings.metadata !== true || endpoint === undefined) return;
    for (let attempt = 0; this.#found.source !== 'instance metadata'; attempt += 1) {
      await sleep(jittered(Math.min(RETRY_LONGEST_MS, RETRY_FIRST_MS * 2 ** attempt), 0.2), signal);
      const answer = await askMetadata(endpoint, signal);
      if (answer.kind === 'none') {
        log.debug({ event: 'aws_identity_missing', reason: answer.reason });
        this.#found = { ...this.#found, problem: answer.reason };
      } else {
        await onChange(await this.#answered(answer.instance));
      }
    }
  }

  async #answered(instance: InstanceKey): Promise<IdentityChange> {
    const change = await this.#decide({ certified: this.#decision.certified, instance });
    this.#found = { instance, source: 'instance metadata', problem: undefined };
    this.#options.log.info({ event: 'aws_identity_found', ...instance });
    return change;
  }

  async #decide(news: Pick<Facts, 'certified' | 'instance'>): Promise<IdentityChange> {
    const { state, log } = this.#options;
    const { record, provisional } = this.#decision;
    // A name that only stood in is given up without a loss.
    const serverId = provisional ? (news.certified?.serverId ?? record.serverId) : record.serverId;
    const next = decide(this.#options, { ...news, provisional, before: { ...record, serverId } });
    try {
      if (isToBeKept(provisional ? undefined : record, next)) await state.writeIdentity(next.record);
    } catch (error) {
      // It is found again at the next start; the labels' own file says whose they are.
      log.error({ event: 'identity_not_written', err: error });
    }
    // Only now: labels that were written meanwhile are the old owner's, and say so on disk.
    this.#decision = next;
    const { discard, foreign } = next;
    return { renamed: record.serverId !== next.record.serverId, discard, foreign };
  }
}

interface Facts {
  readonly before: IdentityRecord | undefined;
  /** Whether the name in the record before only stands in. */
  readonly provisional: boolean;
  readonly certified: Certified | undefined;
  /** Configured, or found in instance metadata. */
  readonly instance: InstanceKey | undefined;
}

interface Decision extends SettledIdentity {
  readonly provisional: boolean;
  /** By a certificate that is the agent's own. */
  readonly certified: Certified | undefined;
  readonly foreign: string | undefined;
}

function decide({ settings, boot, named }: IdentityOptions, facts: Facts): Decision {
  const { before, certified, instance } = facts;
  const configuredId = settings.serverId;
  const known = instance ?? (before?.boot === boot ? before.instance : undefined);
  const foreign = certified && certificateProblem(certified, { configuredId, instance: known });
  const own = foreign === undefined ? certified : undefined;
  // The record lay beside the certificate, so it is of that machine too.
  const record = foreign === undefined || configuredId !== undefined ? before : undefined;
  const settled = settleIdentity(record, {
    configuredId,
    certifiedId: own?.serverId,
    instance,
    boot,
    newServerId,
  });
  const isNew = facts.provisional || settled.record.serverId !== before?.serverId;
  return {
    ...settled,
    discard: settled.discard ?? foreign,
    provisional: named && configuredId === undefined && own === undefined && isNew,
    certified: own,
    foreign,
  };
}

function isToBeKept(before: IdentityRecord | undefined, { record, provisional }: Decision): boolean {
  return !provisional && !equalRecords(before, record);
}

interface Found {
  readonly instance: InstanceKey | undefined;
  readonly source: IdentitySource;
  readonly problem: string | undefined;
}

async function find(
  { settings, boot, env, log, certified }: IdentityOptions,
  before: IdentityRecord | undefined,
  signal: AbortSignal,
): Promise<Found> {
  if (settings.instance !== undefined) {
    return { instance: settings.instance, source: 'configured', problem: undefined };
  }
  if (settings.metadata !== true) return { instance: undefined, source: 'none', problem: 'not asked for' };
  // A restarted agent need not wait to hear what it heard before.
  if (before?.instance !== undefined && before.boot === boot) {
    return { instance: undefined, source: 'this boot', problem: undefined };
  }
  const endpoint = metadataEndpoint(env);
  const answer =
    endpoint === undefined
      ? ({ kind: 'none', reason: 'AWS_EC2_METADATA_DISABLED is set' } as const)
      : await askMetadata(endpoint, signal);
  if (answer.kind === 'found') {
    return { instance: answer.instance, source: 'instance metadata', problem: undefined };
  }
  // A certificate that proves the instance is as good.
  const level = certified?.instance === undefined ? 'warn' : 'debug';
  log[level]({
    event: 'no_aws_identity',
    reason: `instance metadata: ${answer.reason}`,
    message: 'without it no EC2 tags reach this server; set aws.account_id, aws.region and aws.instance_id',
  });
  return { instance: undefined, source: 'none', problem: answer.reason };
}

function newServerId(): ServerId {
  const id = parseServerId(randomUUID());
  if (id === undefined) throw new TypeError('a UUID is a server id');
  return id;
}

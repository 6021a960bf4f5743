import { randomUUID } from 'node:crypto';
import { parseServerId } from '@tagplane/identity';
import type { InstanceKey, ServerId } from '@tagplane/identity';
import type { Environment, Logger } from '@tagplane/runtime';
import { MINUTE, SECOND, jittered, sleep } from '@tagplane/runtime';
import type { AgentSettings } from './config.ts';
import type { AgentState } from './disk-state.ts';
import { equalRecords, settleIdentity } from './identity.ts';
import type { IdentityRecord, SettledIdentity } from './identity.ts';
import { askMetadata, metadataEndpoint } from './imds.ts';

export type IdentitySource = 'configured' | 'instance metadata' | 'this boot' | 'none';

export interface IdentityOptions {
  readonly settings: AgentSettings;
  readonly state: AgentState;
  readonly boot: string;
  readonly env: Environment;
  readonly log: Logger;
}

/** What a later answer of instance metadata changed. */
export interface IdentityChange {
  /** The agent speaks for another server id now. */
  readonly renamed: boolean;
  /** Why the labels held are another server's; undefined: they are not. */
  readonly discard: string | undefined;
}

/** Asked again after 5 s, then twice as long each time, up to 10 min: it may be switched on later. */
const RETRY_FIRST_MS = 5 * SECOND;
const RETRY_LONGEST_MS = 10 * MINUTE;

/** Who this agent is: its server id, and the EC2 instance it runs on. */
export class AgentIdentity {
  readonly #options: IdentityOptions;
  #record: IdentityRecord;
  #instance: InstanceKey | undefined;
  #source: IdentitySource;
  #problem: string | undefined;

  private constructor(options: IdentityOptions, settled: SettledIdentity, found: Found) {
    this.#options = options;
    this.#record = settled.record;
    this.#instance = settled.instance;
    this.#source = settled.instance === undefined ? 'none' : found.source;
    this.#problem = settled.instance === undefined ? found.problem : undefined;
  }

  /**
   * Settles who the agent is, asking instance metadata once (a second at most) when it has to.
   *
   * @throws ConfigError when that cannot be kept on disk
   */
  static async settle(options: IdentityOptions, signal: AbortSignal): Promise<AgentIdentity> {
    const { settings, state, boot, log } = options;
    const before = await state.readIdentity();
    const found = await find(options, before, signal);
    const settled = settleIdentity(before, {
      configuredId: settings.serverId,
      instance: found.instance,
      boot,
      newServerId,
    });
    if (!equalRecords(before, settled.record)) await state.writeIdentity(settled.record);
    if (settled.discard !== undefined) {
      log.warn({ event: 'identity_changed', reason: settled.discard, server_id: settled.record.serverId });
    }
    return new AgentIdentity(options, settled, found);
  }

  get serverId(): ServerId {
    return this.#record.serverId;
  }

  /** The instance to speak for; undefined: not known. */
  get instance(): InstanceKey | undefined {
    return this.#instance;
  }

  /** The last instance known for certain: whose labels the disk may have. */
  get recordedInstance(): InstanceKey | undefined {
    return this.#record.instance;
  }

  get source(): IdentitySource {
    return this.#source;
  }

  /** Why the instance is not known. */
  get problem(): string | undefined {
    return this.#problem;
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
    for (let attempt = 0; this.#source !== 'instance metadata'; attempt += 1) {
      await sleep(jittered(Math.min(RETRY_LONGEST_MS, RETRY_FIRST_MS * 2 ** attempt), 0.2), signal);
      const answer = await askMetadata(endpoint, signal);
      if (answer.kind === 'none') {
        log.debug({ event: 'aws_identity_missing', reason: answer.reason });
        if (this.#instance === undefined) this.#problem = answer.reason;
      } else {
        await onChange(await this.#found(answer.instance));
      }
    }
  }

  async #found(instance: InstanceKey): Promise<IdentityChange> {
    const { settings, state, boot, log } = this.#options;
    const before = this.#record;
    const settled = settleIdentity(before, { configuredId: settings.serverId, instance, boot, newServerId });
    try {
      if (!equalRecords(before, settled.record)) await state.writeIdentity(settled.record);
    } catch (error) {
      // It is found again at the next start; the labels' own file says whose they are.
      log.error({ event: 'identity_not_written', err: error });
    }
    // Only now: labels that were written meanwhile are the old owner's, and say so on disk.
    this.#record = settled.record;
    this.#instance = settled.instance;
    this.#source = 'instance metadata';
    this.#problem = undefined;
    log.info({ event: 'aws_identity_found', ...instance });
    return { renamed: before.serverId !== settled.record.serverId, discard: settled.discard };
  }
}

interface Found {
  readonly instance: InstanceKey | undefined;
  readonly source: IdentitySource;
  readonly problem: string | undefined;
}

async function find(
  { settings, boot, env, log }: IdentityOptions,
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
  log.warn({
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

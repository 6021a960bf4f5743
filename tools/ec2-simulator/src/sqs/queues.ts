import { AwsError } from '../aws-error.ts';
import { SimQueue } from './sim-queue.ts';
import type { QueueSettings } from './sim-queue.ts';

const SECOND = 1_000;
const NAME = /^[A-Za-z0-9_-]{1,80}$/;

/** SQS's own defaults. */
function defaults(): QueueSettings {
  return {
    visibilityMs: 30 * SECOND,
    receiveWaitMs: 0,
    delayMs: 0,
    retentionMs: 4 * 24 * 60 * 60 * SECOND,
    redrive: undefined,
  };
}

export interface QueueName {
  readonly region: string;
  readonly account: string;
  readonly name: string;
}

/** All queues, by region, account and name. */
export class Queues {
  #queues = new Map<string, SimQueue>();

  /** The queue of this name, made if there is none. Throws AwsError. */
  create(of: QueueName, attributes: Readonly<Record<string, unknown>> = {}): SimQueue {
    if (!NAME.test(of.name)) {
      throw new AwsError('InvalidParameterValue', 'Can only include alphanumeric characters, - and _');
    }
    const present = this.#queues.get(keyOf(of));
    const queue = present ?? new SimQueue(of, defaults());
    this.configure(queue, attributes);
    this.#queues.set(keyOf(of), queue);
    return queue;
  }

  /** Throws AwsError. */
  get(of: QueueName): SimQueue {
    const queue = this.#queues.get(keyOf(of));
    if (queue !== undefined) return queue;
    throw new AwsError('QueueDoesNotExist', 'The specified queue does not exist.');
  }

  delete(of: QueueName): void {
    this.#queues.delete(keyOf(of));
  }

  all(): readonly SimQueue[] {
    return [...this.#queues.values()];
  }

  clear(): void {
    this.#queues = new Map();
  }

  /** Takes attributes by SQS's names; those of no meaning here are let pass. Throws AwsError. */
  configure({ settings, region }: SimQueue, attributes: Readonly<Record<string, unknown>>): void {
    const seconds = (name: string, most: number): number | undefined => {
      const value = attributes[name];
      return value === undefined ? undefined : wholeNumber(name, value, most) * SECOND;
    };
    settings.visibilityMs = seconds('VisibilityTimeout', 43_200) ?? settings.visibilityMs;
    settings.receiveWaitMs = seconds('ReceiveMessageWaitTimeSeconds', 20) ?? settings.receiveWaitMs;
    settings.delayMs = seconds('DelaySeconds', 900) ?? settings.delayMs;
    settings.retentionMs = seconds('MessageRetentionPeriod', 1_209_600) ?? settings.retentionMs;
    const policy = attributes['RedrivePolicy'];
    if (policy === undefined) return;
    settings.redrive = policy === '' ? undefined : this.#redriveOf(policy, region);
  }

  #redriveOf(policy: unknown, region: string): NonNullable<QueueSettings['redrive']> {
    const { deadLetterTargetArn: arn, maxReceiveCount: count } = parsePolicy(policy);
    const [, , , , account = '', name = ''] = typeof arn === 'string' ? arn.split(':') : [];
    const target = this.#queues.get(keyOf({ region, account, name }));
    if (target === undefined) {
      throw new AwsError('InvalidParameterValue', 'RedrivePolicy: there is no such dead letter queue');
    }
    return { target, maxReceives: wholeNumber('maxReceiveCount', count, 1_000) };
  }
}

function parsePolicy(policy: unknown): { deadLetterTargetArn?: unknown; maxReceiveCount?: unknown } {
  try {
    const value: unknown = typeof policy === 'string' ? JSON.parse(policy) : undefined;
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Answered below, as any other text.
  }
  throw new AwsError('InvalidParameterValue', 'RedrivePolicy: expected a JSON object');
}

/** From a number, or from digits as SQS writes attributes. Throws AwsError. */
export function wholeNumber(name: string, value: unknown, most: number, least = 0): number {
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isInteger(number) && number >= least && number <= most) {
    return number;
  }
  throw new AwsError('InvalidParameterValue', `Value for parameter ${name} is invalid`);
}

function keyOf({ region, account, name }: QueueName): string {
  return `${region}/${account}/${name}`;
}

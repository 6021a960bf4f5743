import { randomUUID } from 'node:crypto';
import { AwsError } from '../aws-error.ts';

/** What SQS hides at a time on a standard queue. */
const MAX_IN_FLIGHT = 120_000;
/** What one queue of the simulator holds; SQS has no bound. */
const MAX_MESSAGES = 1_000_000;

export interface QueueSettings {
  /** Milliseconds. */
  visibilityMs: number;
  receiveWaitMs: number;
  delayMs: number;
  retentionMs: number;
  redrive: { readonly target: SimQueue; readonly maxReceives: number } | undefined;
}

interface Message {
  readonly id: string;
  readonly body: string;
  readonly sentAt: number;
  firstReceivedAt: number | undefined;
  received: number;
  /** Hidden until then; 0 while it never was. */
  visibleAt: number;
  /** The receipt that counts: that of the latest time. */
  receipt: string | undefined;
}

/** A message as it was received. */
export interface Received {
  readonly id: string;
  readonly body: string;
  readonly receipt: string;
  readonly received: number;
  readonly sentAt: number;
  readonly firstReceivedAt: number;
}

export interface QueueCounts {
  readonly visible: number;
  readonly hidden: number;
  readonly delayed: number;
}

/** A standard queue in memory. Nothing here runs by itself: time is what it is told. */
export class SimQueue {
  readonly region: string;
  readonly account: string;
  readonly name: string;
  readonly settings: QueueSettings;
  readonly #messages = new Map<string, Message>();
  /** Called when there may be something to receive. */
  readonly #wakers = new Set<() => void>();

  constructor(of: { region: string; account: string; name: string }, settings: QueueSettings) {
    this.region = of.region;
    this.account = of.account;
    this.name = of.name;
    this.settings = settings;
  }

  get arn(): string {
    const partition = this.region.startsWith('cn-') ? 'aws-cn' : 'aws';
    return `arn:${partition}:sqs:${this.region}:${this.account}:${this.name}`;
  }

  /** @returns the message's id */
  send(body: string, now: number, delayMs = this.settings.delayMs): string {
    if (this.#messages.size >= MAX_MESSAGES) throw new AwsError('OverLimit', 'The queue is full', 403);
    const id = randomUUID();
    this.#messages.set(id, {
      ...{ id, body, sentAt: now },
      ...{ firstReceivedAt: undefined, received: 0, visibleAt: now + delayMs, receipt: undefined },
    });
    this.wake();
    return id;
  }

  /** What is visible, the oldest first; what was received too often goes to the redrive target instead. */
  receive(max: number, visibilityMs: number, now: number): Received[] {
    const got: Received[] = [];
    let hidden = 0;
    for (const message of this.#messages.values()) {
      if (got.length >= max) break;
      if (now - message.sentAt >= this.settings.retentionMs) this.#messages.delete(message.id);
      else if (message.visibleAt > now) hidden += 1;
      else if (!this.#redrive(message, now)) got.push(take(message, now + visibilityMs, now));
      if (hidden > MAX_IN_FLIGHT) throw new AwsError('OverLimit', 'Too many messages in flight', 403);
    }
    return got;
  }

  /** When something that is hidden will show; undefined: nothing is. */
  nextVisibleAt(now: number): number | undefined {
    let next: number | undefined;
    for (const { visibleAt } of this.#messages.values()) {
      if (visibleAt > now) next = Math.min(next ?? visibleAt, visibleAt);
    }
    return next;
  }

  /** Deletes by the latest receipt; an older one is let pass, and deletes nothing. Throws AwsError. */
  delete(receipt: string): void {
    const message = this.#byReceipt(receipt);
    if (message?.receipt === receipt) this.#messages.delete(message.id);
  }

  /** Throws AwsError. */
  changeVisibility(receipt: string, visibilityMs: number, now: number): void {
    const message = this.#byReceipt(receipt);
    if (message?.receipt !== receipt || message.visibleAt <= now) {
      throw new AwsError('MessageNotInflight', 'The message is not in flight');
    }
    message.visibleAt = now + visibilityMs;
    this.wake();
  }

  purge(): void {
    this.#messages.clear();
  }

  counts(now: number): QueueCounts {
    const counts = { visible: 0, hidden: 0, delayed: 0 };
    for (const { visibleAt, received } of this.#messages.values()) {
      if (visibleAt <= now) counts.visible += 1;
      else if (received > 0) counts.hidden += 1;
      else counts.delayed += 1;
    }
    return counts;
  }

  /** The bodies of all messages, the oldest first, hidden ones included. */
  bodies(): string[] {
    return [...this.#messages.values()].map(({ body }) => body);
  }

  wake(): void {
    for (const waker of this.#wakers) waker();
  }

  /** Resolves when there may be something, when the time is over, or when the signal aborts. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#wakers.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#wakers.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  /** @returns whether the message has gone */
  #redrive(message: Message, now: number): boolean {
    const { redrive } = this.settings;
    if (redrive === undefined || message.received < redrive.maxReceives) return false;
    this.#messages.delete(message.id);
    redrive.target.send(message.body, now, 0);
    return true;
  }

  #byReceipt(receipt: string): Message | undefined {
    const [id, count] = Buffer.from(receipt, 'base64url').toString().split('#');
    if (id === undefined || count === undefined) {
      throw new AwsError('ReceiptHandleIsInvalid', 'The input receipt handle is invalid');
    }
    return this.#messages.get(id);
  }
}

function take(message: Message, visibleAt: number, now: number): Received {
  message.received += 1;
  message.visibleAt = visibleAt;
  message.firstReceivedAt ??= now;
  const receipt = Buffer.from(`${message.id}#${message.received}`).toString('base64url');
  message.receipt = receipt;
  const { id, body, received, sentAt, firstReceivedAt } = message;
  return { id, body, receipt, received, sentAt, firstReceivedAt };
}

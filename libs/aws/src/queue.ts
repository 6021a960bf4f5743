import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  MessageSystemAttributeName,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { BatchResultErrorEntry, Message } from '@aws-sdk/client-sqs';
import { SECOND } from '@tagplane/runtime';
import { AwsCallError } from './call-error.ts';
import type { AwsCall, AwsCallOptions } from './client.ts';
import { callAws, clientSettings } from './client.ts';

/** A message as it was received this time. */
export interface QueueMessage {
  readonly id: string;
  readonly body: string;
  /** For `delete` and `release`, while the message is hidden from others. */
  readonly receipt: string;
  /** How often it has been received, this time included: more than once when it was not deleted. */
  readonly receivedCount: number;
  /** Unix time in milliseconds, by the queue's clock. */
  readonly sentAt: number;
}

export interface ReceiveOptions {
  /** 1 to 10. */
  readonly max: number;
  /** How long to wait for a first message: 0 to 20,000. */
  readonly waitMs: number;
  /** How long what is received is hidden from others: 0 to 12 hours. */
  readonly visibilityMs: number;
}

/**
 * A queue that gives every message at least once, in any order. All calls reject with an AwsCallError, or with
 * the RoleError of the credentials.
 */
export interface Queue extends Disposable {
  readonly url: string;
  /** Resolves to as many messages as there are, at most `max`; to none when none came in time. */
  receive(options: ReceiveOptions, signal: AbortSignal): Promise<QueueMessage[]>;
  /** Takes messages out for good. A receipt that has run out is let pass: the message comes again. */
  delete(receipts: readonly string[], signal: AbortSignal): Promise<void>;
  /** Shows messages again at once. A receipt that has run out is let pass. */
  release(receipts: readonly string[], signal: AbortSignal): Promise<void>;
}

export interface QueueOptions extends AwsCallOptions {
  /** `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`. */
  readonly url: string;
}

/** What SQS takes in one batch. */
const BATCH = 10;
const MAX_ATTEMPTS = 3;
/** One that waits for messages, and three batches beside it. */
const CONNECTIONS = 4;
/** Beyond the wait that was asked for: three attempts that fail fast, with their pauses. */
const CALL_TIMEOUT_MS = 30 * SECOND;

/** What is wrong with the receipt alone: it ran out, or the message is gone or shown again already. */
const STALE_RECEIPT: ReadonlySet<string> = new Set([
  'InvalidParameterValue',
  'MessageNotInflight',
  'AWS.SimpleQueueService.MessageNotInflight',
  'ReceiptHandleIsInvalid',
]);

/** A queue of SQS. Its endpoint is found as that of any service, not taken from the url. */
export function createQueue(options: QueueOptions): Queue {
  const { url, region } = options;
  const client = new SQSClient({
    ...clientSettings(options, { maxAttempts: MAX_ATTEMPTS, connections: CONNECTIONS }),
    useQueueUrlAsEndpoint: false,
  });
  const callOf = (operation: string): AwsCall => ({ service: 'SQS', operation, region, subject: url });
  return {
    url,
    receive: async ({ max, waitMs, visibilityMs }, signal) => {
      const input = {
        QueueUrl: url,
        MaxNumberOfMessages: max,
        WaitTimeSeconds: Math.round(waitMs / SECOND),
        VisibilityTimeout: Math.ceil(visibilityMs / SECOND),
        MessageSystemAttributeNames: [
          MessageSystemAttributeName.ApproximateReceiveCount,
          MessageSystemAttributeName.SentTimestamp,
        ],
      };
      const limits = { signal, timeoutMs: waitMs + CALL_TIMEOUT_MS };
      const { Messages = [] } = await callAws(callOf('ReceiveMessage'), limits, (abortSignal) =>
        client.send(new ReceiveMessageCommand(input), { abortSignal }),
      );
      return Messages.flatMap(messageOf);
    },
    delete: (receipts, signal) =>
      inBatches(receipts, callOf('DeleteMessageBatch'), signal, (entries, abortSignal) =>
        client.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries: entries }), { abortSignal }),
      ),
    release: (receipts, signal) =>
      inBatches(receipts, callOf('ChangeMessageVisibilityBatch'), signal, (entries, abortSignal) => {
        const Entries = entries.map((entry) => ({ ...entry, VisibilityTimeout: 0 }));
        return client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: url, Entries }), {
          abortSignal,
        });
      }),
    [Symbol.dispose]: () => {
      client.destroy();
    },
  };
}

interface BatchEntry {
  readonly Id: string;
  readonly ReceiptHandle: string;
}

/** A batch may fail in part: what SQS could not do is tried once more, and is an error then. */
async function inBatches(
  receipts: readonly string[],
  call: AwsCall,
  signal: AbortSignal,
  send: (
    entries: BatchEntry[],
    signal: AbortSignal,
  ) => Promise<{ readonly Failed?: readonly BatchResultErrorEntry[] | undefined }>,
): Promise<void> {
  for (let from = 0; from < receipts.length; from += BATCH) {
    let entries = receipts
      .slice(from, from + BATCH)
      .map((ReceiptHandle, index): BatchEntry => ({ Id: `${index}`, ReceiptHandle }));
    for (let attempt = 1; entries.length > 0; attempt += 1) {
      const { Failed = [] } = await callAws(call, { signal, timeoutMs: CALL_TIMEOUT_MS }, (abortSignal) =>
        send(entries, abortSignal),
      );
      const failed = Failed.filter(({ Code }) => !STALE_RECEIPT.has(Code ?? ''));
      const [first] = failed;
      if (attempt === 2 && first !== undefined) {
        const { service, operation } = call;
        throw new AwsCallError({ service, operation, kind: 'other', code: first.Code ?? 'unknown' });
      }
      entries = entries.filter(({ Id }) => failed.some((each) => each.Id === Id));
    }
  }
}

/** What has no id, body or receipt cannot be worked with, and comes again until the queue gives it up. */
function messageOf({ MessageId, Body, ReceiptHandle, Attributes = {} }: Message): QueueMessage[] {
  if (MessageId === undefined || Body === undefined || ReceiptHandle === undefined) return [];
  const receivedCount = Number(Attributes.ApproximateReceiveCount ?? 1);
  const sentAt = Number(Attributes.SentTimestamp ?? Date.now());
  return [{ id: MessageId, body: Body, receipt: ReceiptHandle, receivedCount, sentAt }];
}

import { hash } from 'node:crypto';
import { AwsError } from '../aws-error.ts';
import type { JsonAction, JsonInput } from '../json-service.ts';
import type { ServiceRequest } from '../service.ts';
import { wholeNumber } from './queues.ts';
import type { Queues } from './queues.ts';
import type { Received, SimQueue } from './sim-queue.ts';

const SECOND = 1_000;
/** Of one message, and of a batch together. */
const MAX_BYTES = 1024 * 1024;
const MAX_BATCH = 10;

/** SQS's actions over queues in memory. */
export function sqsActions(queues: Queues): ReadonlyMap<string, JsonAction> {
  const queueOf = (input: JsonInput, request: ServiceRequest): SimQueue => queues.get(nameOf(input, request));
  return new Map<string, JsonAction>([
    [
      'CreateQueue',
      (input, request) => {
        const name = text(input, 'QueueName');
        const attributes = (input['Attributes'] ?? {}) as Readonly<Record<string, unknown>>;
        return { QueueUrl: urlOf(queues.create({ ...request.caller, name }, attributes), request) };
      },
    ],
    [
      'GetQueueUrl',
      (input, request) => {
        const { region, account: own } = request.caller;
        const owner = input['QueueOwnerAWSAccountId'];
        const account = typeof owner === 'string' ? owner : own;
        const queue = queues.get({ region, account, name: text(input, 'QueueName') });
        return { QueueUrl: urlOf(queue, request) };
      },
    ],
    [
      'ListQueues',
      (_, request) => {
        const { region, account } = request.caller;
        const own = queues.all().filter((queue) => queue.region === region && queue.account === account);
        return { QueueUrls: own.map((queue) => urlOf(queue, request)) };
      },
    ],
    [
      'DeleteQueue',
      (input, request) => {
        queues.delete(queueOf(input, request));
        return {};
      },
    ],
    [
      'PurgeQueue',
      (input, request) => {
        queueOf(input, request).purge();
        return {};
      },
    ],
    ['GetQueueAttributes', (input, request) => attributesOf(queueOf(input, request), request.now)],
    [
      'SetQueueAttributes',
      (input, request) => {
        queues.configure(queueOf(input, request), (input['Attributes'] ?? {}) as JsonInput);
        return {};
      },
    ],
    ['SendMessage', (input, request) => send(queueOf(input, request), input, request.now)],
    [
      'SendMessageBatch',
      (input, request) => {
        const queue = queueOf(input, request);
        return inBatch(input, (entry) => send(queue, entry, request.now));
      },
    ],
    ['ReceiveMessage', (input, request, signal) => receive(queueOf(input, request), input, request, signal)],
    [
      'DeleteMessage',
      (input, request) => {
        queueOf(input, request).delete(text(input, 'ReceiptHandle'));
        return {};
      },
    ],
    [
      'DeleteMessageBatch',
      (input, request) => {
        const queue = queueOf(input, request);
        return inBatch(input, (entry) => {
          queue.delete(text(entry, 'ReceiptHandle'));
          return {};
        });
      },
    ],
    [
      'ChangeMessageVisibility',
      (input, request) => changeVisibility(queueOf(input, request), input, request.now),
    ],
    [
      'ChangeMessageVisibilityBatch',
      (input, request) => {
        const queue = queueOf(input, request);
        return inBatch(input, (entry) => changeVisibility(queue, entry, request.now));
      },
    ],
  ]);
}

/** The path of a queue's URL is `/ACCOUNT/NAME`, whatever the host. */
function nameOf(input: JsonInput, { caller }: ServiceRequest) {
  const url = text(input, 'QueueUrl');
  const [account = '', name = ''] = (URL.parse(url)?.pathname ?? '').split('/').slice(1);
  return { region: caller.region, account, name };
}

function urlOf({ account, name }: SimQueue, { http }: ServiceRequest): string {
  return `http://${http.headers['host'] ?? 'localhost'}/${account}/${name}`;
}

function attributesOf(queue: SimQueue, now: number): object {
  const { visible, hidden, delayed } = queue.counts(now);
  const { visibilityMs, receiveWaitMs, delayMs, retentionMs, redrive } = queue.settings;
  return {
    Attributes: {
      QueueArn: queue.arn,
      ApproximateNumberOfMessages: String(visible),
      ApproximateNumberOfMessagesNotVisible: String(hidden),
      ApproximateNumberOfMessagesDelayed: String(delayed),
      VisibilityTimeout: String(visibilityMs / SECOND),
      ReceiveMessageWaitTimeSeconds: String(receiveWaitMs / SECOND),
      DelaySeconds: String(delayMs / SECOND),
      MessageRetentionPeriod: String(retentionMs / SECOND),
      ...(redrive && {
        RedrivePolicy: JSON.stringify({
          deadLetterTargetArn: redrive.target.arn,
          maxReceiveCount: redrive.maxReceives,
        }),
      }),
    },
  };
}

function send(queue: SimQueue, input: JsonInput, now: number): object {
  const body = text(input, 'MessageBody');
  if (Buffer.byteLength(body) > MAX_BYTES) {
    throw new AwsError('InvalidParameterValue', `The message must be shorter than ${MAX_BYTES} bytes.`);
  }
  const delay = input['DelaySeconds'];
  const delayMs = delay === undefined ? undefined : wholeNumber('DelaySeconds', delay, 900) * SECOND;
  return { MessageId: queue.send(body, now, delayMs), MD5OfMessageBody: md5(body) };
}

async function receive(
  queue: SimQueue,
  input: JsonInput,
  request: ServiceRequest,
  signal: AbortSignal,
): Promise<object> {
  const given = (name: string, most: number, otherwise: number, least = 0): number =>
    input[name] === undefined ? otherwise : wholeNumber(name, input[name], most, least);
  const max = given('MaxNumberOfMessages', 10, 1, 1);
  const { visibilityMs, receiveWaitMs } = queue.settings;
  const hideMs = given('VisibilityTimeout', 43_200, visibilityMs / SECOND) * SECOND;
  const waitMs = given('WaitTimeSeconds', 20, receiveWaitMs / SECOND) * SECOND;
  const startedAt = performance.now();
  // The clock of the simulator may be a test's; the waiting is the client's own.
  for (let waited = 0; ; waited = performance.now() - startedAt) {
    const now = request.now + waited;
    const got = queue.receive(max, hideMs, now);
    if (got.length > 0) return { Messages: got.map(messageJson) };
    const left = waitMs - waited;
    if (left <= 0 || signal.aborted) return {};
    const next = queue.nextVisibleAt(now);
    await queue.wait(Math.min(left, next === undefined ? left : next - now), signal);
  }
}

function messageJson({ id, body, receipt, received, sentAt, firstReceivedAt }: Received): object {
  return {
    MessageId: id,
    ReceiptHandle: receipt,
    Body: body,
    MD5OfBody: md5(body),
    Attributes: {
      ApproximateReceiveCount: String(received),
      SentTimestamp: String(Math.round(sentAt)),
      ApproximateFirstReceiveTimestamp: String(Math.round(firstReceivedAt)),
      SenderId: 'AIDASIMULATED',
    },
  };
}

function changeVisibility(queue: SimQueue, input: JsonInput, now: number): object {
  const seconds = wholeNumber('VisibilityTimeout', input['VisibilityTimeout'], 43_200);
  queue.changeVisibility(text(input, 'ReceiptHandle'), seconds * SECOND, now);
  return {};
}

/** Each entry succeeds or fails for itself. Throws AwsError for a batch that is none. */
function inBatch(input: JsonInput, work: (entry: JsonInput) => object): object {
  const given = input['Entries'];
  const entries = Array.isArray(given) ? (given as readonly JsonInput[]) : [];
  if (entries.length === 0) {
    throw new AwsError('EmptyBatchRequest', 'There should be at least one entry in the request.');
  }
  if (entries.length > MAX_BATCH) {
    throw new AwsError(
      'TooManyEntriesInBatchRequest',
      `Maximum number of entries per request are ${MAX_BATCH}.`,
    );
  }
  const ids = entries.map((entry) => text(entry, 'Id'));
  if (new Set(ids).size < ids.length) {
    throw new AwsError('BatchEntryIdsNotDistinct', 'Id is repeated.');
  }
  const [done, failed]: [object[], object[]] = [[], []];
  for (const entry of entries) {
    const Id = text(entry, 'Id');
    try {
      done.push({ Id, ...work(entry) });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      failed.push({ Id, Code: error.code, Message: error.message, SenderFault: true });
    }
  }
  return { Successful: done, ...(failed.length > 0 && { Failed: failed }) };
}

function text(input: JsonInput, name: string): string {
  const value = input[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new AwsError('MissingParameter', `The request must contain the parameter ${name}.`);
}

/** What clients check a body by. */
function md5(body: string): string {
  return hash('md5', body, 'hex');
}

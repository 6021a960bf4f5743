import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SQSClient,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
} from '@aws-sdk/client-sqs';
import type { ReceiveMessageCommandInput } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createEc2Simulator } from '../simulator.ts';
import type { RunningSimulator } from '../simulator.ts';
import { clientOptions } from '../testing/aws.ts';

let simulator: RunningSimulator;
let sqs: SQSClient;
let QueueUrl: string;
let now = Date.now();

beforeAll(async () => {
  simulator = await createEc2Simulator({ instances: 0, now: () => now }).listen();
  sqs = new SQSClient(clientOptions(simulator));
});
afterAll(async () => {
  sqs.destroy();
  await simulator.close();
});
beforeEach(async () => {
  simulator.fleet.reset();
  QueueUrl = await create('queue', { VisibilityTimeout: '10' });
});

async function create(QueueName: string, Attributes: Record<string, string> = {}): Promise<string> {
  const made = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
  return made.QueueUrl ?? '';
}

async function send(...bodies: string[]): Promise<void> {
  for (const MessageBody of bodies) await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
}

async function receive(input: Partial<ReceiveMessageCommandInput> = {}) {
  const command = new ReceiveMessageCommand({
    ...{ QueueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['All'] },
    ...input,
  });
  const { Messages = [] } = await sqs.send(command);
  return Messages.map(({ Body = '', ReceiptHandle = '', Attributes = {} }) => ({
    body: Body,
    receipt: ReceiptHandle,
    count: Number(Attributes.ApproximateReceiveCount),
    sentAt: Number(Attributes.SentTimestamp),
  }));
}

async function attributes(url = QueueUrl): Promise<Partial<Record<string, string>>> {
  const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] });
  return (await sqs.send(command)).Attributes ?? {};
}

const bodies = (messages: readonly { body: string }[]): string[] => messages.map(({ body }) => body);

async function refusal(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof Error ? error.name : 'none';
}

describe('a queue', () => {
  it('gives what was sent, with any text, and hides it until it is deleted or its time is over', async () => {
    const texts = ['first', '{"a": "ü 🦉 \\u0000"}', ' '];
    await send(...texts);
    const got = await receive();
    expect(bodies(got)).toEqual(texts);
    expect(got.map(({ count, sentAt }) => [count, sentAt])).toEqual(texts.map(() => [1, now]));
    expect(await receive()).toEqual([]);
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: got[0]?.receipt }));
    expect(await attributes()).toMatchObject({
      QueueArn: 'arn:aws:sqs:eu-central-1:123456789012:queue',
      ApproximateNumberOfMessages: '0',
      ApproximateNumberOfMessagesNotVisible: '2',
      VisibilityTimeout: '10',
    });
    now += 10_000;
    const again = await receive();
    expect(bodies(again)).toEqual(texts.slice(1));
    expect(again.map(({ count }) => count)).toEqual([2, 2]);
  });

  it('lets a receipt that is not the latest delete nothing', async () => {
    await send('a');
    const [old] = await receive();
    now += 10_000;
    const [latest] = await receive();
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: old?.receipt }));
    expect(simulator.queues.all().map((queue) => queue.bodies())).toEqual([['a']]);
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: latest?.receipt }));
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: latest?.receipt }));
    expect(simulator.queues.all().map((queue) => queue.bodies())).toEqual([[]]);
  });

  it('works in batches, whose entries fail each for itself', async () => {
    const Entries = Array.from({ length: 10 }, (_, n) => ({ Id: `${n}`, MessageBody: `body ${n}` }));
    const sent = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    expect(sent.Successful).toHaveLength(10);
    const got = await receive();
    const shown = got.slice(0, 2).map(({ receipt }, n) => ({ Id: `${n}`, ReceiptHandle: receipt }));
    const changes = shown.map((entry) => ({ ...entry, VisibilityTimeout: 0 }));
    await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries: changes }));
    expect(bodies(await receive())).toEqual(['body 0', 'body 1']);
    const gone = got.slice(2).map(({ receipt }, n) => ({ Id: `${n}`, ReceiptHandle: receipt }));
    const bad = [...gone, { Id: 'bad', ReceiptHandle: 'hello' }];
    const deleted = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries: bad }));
    expect(deleted.Successful).toHaveLength(8);
    expect(deleted.Failed).toMatchObject([{ Id: 'bad', Code: 'ReceiptHandleIsInvalid' }]);
  });

  it('waits for a message, as long as asked for', async () => {
    const waiting = receive({ WaitTimeSeconds: 20 });
    await send('late');
    expect(bodies(await waiting)).toEqual(['late']);
    expect(await receive({ WaitTimeSeconds: 1 })).toEqual([]);
  });

  it('waits also for one that is hidden, and for one that is delayed', async () => {
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'delayed', DelaySeconds: 1 }));
    expect(await attributes()).toMatchObject({ ApproximateNumberOfMessagesDelayed: '1' });
    expect(bodies(await receive({ WaitTimeSeconds: 20, VisibilityTimeout: 1 }))).toEqual(['delayed']);
    expect(bodies(await receive({ WaitTimeSeconds: 20 }))).toEqual(['delayed']);
  });

  it('hands what was received too often to its dead letter queue', async () => {
    const dead = await create('dead');
    const policy = { deadLetterTargetArn: (await attributes(dead))['QueueArn'], maxReceiveCount: '2' };
    const RedrivePolicy = JSON.stringify(policy);
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { RedrivePolicy } }));
    expect((await attributes())['RedrivePolicy']).toContain('"maxReceiveCount":2');
    await send('poison');
    for (let times = 0; times < 2; times += 1) {
      expect(await receive()).toHaveLength(1);
      now += 10_000;
    }
    expect(await receive()).toEqual([]);
    expect(bodies(await receive({ QueueUrl: dead }))).toEqual(['poison']);
  });

  it('is found by its name, listed, purged and deleted', async () => {
    await send('a');
    const found = await sqs.send(new GetQueueUrlCommand({ QueueName: 'queue' }));
    expect(found.QueueUrl).toBe(QueueUrl);
    expect((await sqs.send(new ListQueuesCommand({}))).QueueUrls).toEqual([QueueUrl]);
    await sqs.send(new PurgeQueueCommand({ QueueUrl }));
    expect(await receive()).toEqual([]);
    await sqs.send(new DeleteQueueCommand({ QueueUrl }));
    expect(await refusal(receive())).toBe('QueueDoesNotExist');
  });

  it('refuses what SQS refuses', async () => {
    await send('a');
    const receipt = (await receive())[0]?.receipt ?? '';
    now += 10_000;
    const unhidden = { QueueUrl, ReceiptHandle: receipt, VisibilityTimeout: 5 };
    const body = 'x'.repeat(1024 * 1024 + 1);
    const twice = [1, 2].map(() => ({ Id: 'same', MessageBody: 'a' }));
    const many = Array.from({ length: 11 }, (_, n) => ({ Id: `${n}`, MessageBody: 'a' }));
    const refusals = await Promise.all(
      [
        sqs.send(new GetQueueUrlCommand({ QueueName: 'other' })),
        sqs.send(new CreateQueueCommand({ QueueName: 'no queue' })),
        sqs.send(new ChangeMessageVisibilityCommand(unhidden)),
        receive({ MaxNumberOfMessages: 11 }),
        receive({ WaitTimeSeconds: 21 }),
        sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: body })),
        sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: [] })),
        sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: twice })),
        sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: many })),
        sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: 'hello' })),
      ].map(refusal),
    );
    expect(refusals).toEqual([
      'QueueDoesNotExist',
      'InvalidParameterValue',
      'MessageNotInflight',
      'InvalidParameterValue',
      'InvalidParameterValue',
      'InvalidParameterValue',
      'EmptyBatchRequest',
      'BatchEntryIdsNotDistinct',
      'TooManyEntriesInBatchRequest',
      'ReceiptHandleIsInvalid',
    ]);
  });
});

describe('an end', () => {
  it('ends those who wait', async () => {
    await using other = await createEc2Simulator({ instances: 0 }).listen();
    const client = new SQSClient(clientOptions(other));
    const made = await client.send(new CreateQueueCommand({ QueueName: 'queue' }));
    const waiting = client.send(new ReceiveMessageCommand({ QueueUrl: made.QueueUrl, WaitTimeSeconds: 20 }));
    const ended = waiting.then(
      () => 'answered',
      () => 'cut off',
    );
    await other.close();
    expect(['answered', 'cut off']).toContain(await ended);
    client.destroy();
  });
});

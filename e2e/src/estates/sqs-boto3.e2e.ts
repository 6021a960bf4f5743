import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningSimulator } from '@tagplane/ec2-simulator';
import { createEc2Simulator } from '@tagplane/ec2-simulator';
import type { Boto3, Boto3Call } from '../moto/boto3.ts';
import { startBoto3 } from '../moto/boto3.ts';

const REGION = 'eu-central-1';
const STEP_MS = 120_000;

interface Received {
  readonly Messages?: readonly {
    readonly Body: string;
    readonly ReceiptHandle: string;
    readonly Attributes?: Readonly<Record<string, string>>;
  }[];
}

let simulator: RunningSimulator;
let boto3: Boto3;

beforeAll(async () => {
  simulator = await createEc2Simulator({ instances: 2, regions: [REGION] }).listen();
  boto3 = await startBoto3(simulator.url);
}, STEP_MS);
afterAll(async () => {
  await simulator.close();
});

const sqs = (method: string, args: object): Boto3Call => ({
  ...{ region: REGION, service: 'sqs' },
  ...{ method, arguments: args },
});

describe('boto3 and the simulator’s SQS', () => {
  it(
    'agree on messages, batches, attributes and events',
    async () => {
      const queue = simulator.events.start({ queue: { name: 'events' }, delayMs: 0 });
      const [{ id } = { id: '' }] = simulator.fleet.list({ region: REGION });
      simulator.fleet.changeTags({ region: REGION, id }, { set: new Map([['env', 'ü']]) });
      const [found] = (await boto3.call([sqs('get_queue_url', { QueueName: 'events' })])) as [
        { QueueUrl: string },
      ];
      const { QueueUrl } = found;
      const Entries = ['a', 'b'].map((body) => ({ Id: body, MessageBody: `{"text": "${body} 🦉"}` }));
      const [, received] = (await boto3.call([
        sqs('send_message_batch', { QueueUrl, Entries }),
        sqs('receive_message', {
          ...{ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 5, VisibilityTimeout: 60 },
          MessageSystemAttributeNames: ['All'],
        }),
      ])) as [unknown, Received];
      const messages = received.Messages ?? [];
      expect(messages.map(({ Attributes = {} }) => Attributes['ApproximateReceiveCount'])).toEqual([
        '1',
        '1',
        '1',
      ]);
      const [event, ...sent] = messages.map(({ Body }) => JSON.parse(Body) as object);
      expect(event).toMatchObject({ source: 'aws.tag', detail: { tags: { env: 'ü' } } });
      expect(sent).toEqual([{ text: 'a 🦉' }, { text: 'b 🦉' }]);
      const [first, ...others] = messages.map(({ ReceiptHandle }) => ReceiptHandle);
      const shown = { QueueUrl, ReceiptHandle: first, VisibilityTimeout: 0 };
      const gone = others.map((ReceiptHandle, index) => ({ Id: `${index}`, ReceiptHandle }));
      const [, , attributes] = await boto3.call([
        sqs('change_message_visibility', shown),
        sqs('delete_message_batch', { QueueUrl, Entries: gone }),
        sqs('get_queue_attributes', { QueueUrl, AttributeNames: ['All'] }),
      ]);
      expect(attributes).toMatchObject({
        Attributes: { ApproximateNumberOfMessages: '1', ApproximateNumberOfMessagesNotVisible: '0' },
      });
      expect(queue.bodies()).toHaveLength(1);
    },
    STEP_MS,
  );

  it(
    'agree on a queue that is not there',
    async () => {
      const call = boto3.call([sqs('get_queue_url', { QueueName: 'nowhere' })]);
      await expect(call).rejects.toThrow(/QueueDoesNotExist|NonExistentQueue/);
    },
    STEP_MS,
  );
});

import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createQueue } from './queue.ts';
import type { Queue } from './queue.ts';
import { fakeEndpoint, testRegion } from './testing/index.ts';
import type { EndpointAnswer, FakeEndpoint, ReceivedCall } from './testing/index.ts';

const region = testRegion();
const url = 'https://sqs.eu-central-1.amazonaws.com/123456789012/tagplane';
const credentials = { accessKeyId: 'any', secretAccessKey: 'very-secret' };
const { signal } = new AbortController();

let endpoint: FakeEndpoint;
let queue: Queue;
afterEach(async () => {
  queue[Symbol.dispose]();
  await endpoint[Symbol.asyncDispose]();
});

async function serve(script: (call: ReceivedCall) => EndpointAnswer): Promise<void> {
  endpoint = await fakeEndpoint(script);
  queue = createQueue({ url, region, credentials, endpoint: endpoint.url });
}

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

describe('createQueue', () => {
  it('asks for what it needs, and leaves out what cannot be worked with', async () => {
    const message = {
      MessageId: 'm',
      ReceiptHandle: 'r',
      Body: 'b',
      MD5OfBody: md5('b'),
      Attributes: { ApproximateReceiveCount: '3', SentTimestamp: '1700000000000' },
    };
    const { ReceiptHandle: _, ...bare } = message;
    await serve(() => ({ body: { Messages: [message, bare] } }));
    expect(await queue.receive({ max: 5, waitMs: 20_000, visibilityMs: 90_500 }, signal)).toEqual([
      { id: 'm', body: 'b', receipt: 'r', receivedCount: 3, sentAt: 1_700_000_000_000 },
    ]);
    expect(endpoint.calls).toMatchObject([
      {
        operation: 'ReceiveMessage',
        input: {
          QueueUrl: url,
          MaxNumberOfMessages: 5,
          WaitTimeSeconds: 20,
          VisibilityTimeout: 91,
          MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp'],
        },
      },
    ]);
  });

  it('says what to do about a queue that is not there', async () => {
    await serve(() => ({ error: 'com.amazonaws.sqs#QueueDoesNotExist' }));
    const asked = queue.receive({ max: 1, waitMs: 0, visibilityMs: 0 }, signal);
    await expect(asked).rejects.toMatchObject({
      name: 'AwsCallError',
      kind: 'other',
      code: 'QueueDoesNotExist',
      fix: expect.stringContaining(`there is no queue ${url} in eu-central-1`),
      message: expect.not.stringContaining('very-secret'),
    });
  });

  it('tries again what failed of a batch, but not what ran out', async () => {
    await serve(({ input }) => {
      const entries = input['Entries'] as { Id: string; ReceiptHandle: string }[];
      const first = endpoint.calls.length === 1;
      const codes: Record<string, string> = { busy: 'InternalError', stale: 'ReceiptHandleIsInvalid' };
      const Failed = entries.flatMap(({ Id, ReceiptHandle }) => {
        const Code = first ? codes[ReceiptHandle] : undefined;
        return Code === undefined ? [] : [{ Id, Code, SenderFault: false }];
      });
      return { body: { Successful: [], Failed } };
    });
    await queue.delete(['good', 'busy', 'stale'], signal);
    const handles = endpoint.calls.map(({ input }) =>
      (input['Entries'] as { ReceiptHandle: string }[]).map(({ ReceiptHandle }) => ReceiptHandle),
    );
    expect(handles).toEqual([['good', 'busy', 'stale'], ['busy']]);
  });

  it('rejects what fails twice', async () => {
    await serve(() => ({ body: { Failed: [{ Id: '0', Code: 'InternalError', SenderFault: false }] } }));
    await expect(queue.release(['r'], signal)).rejects.toMatchObject({
      operation: 'ChangeMessageVisibilityBatch',
      code: 'InternalError',
    });
    expect(endpoint.calls.length).toBe(2);
  });

  it('sends nothing for no receipts', async () => {
    await serve(() => ({ body: {} }));
    await queue.delete([], signal);
    expect(endpoint.calls).toEqual([]);
  });
});

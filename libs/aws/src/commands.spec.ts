import { afterEach, describe, expect, it } from '@jest/globals';
import { createCommands } from './commands.ts';
import type { CommandRequest, Commands, ManagedInstance } from './commands.ts';
import { fakeEndpoint, testInstance, testRegion } from './testing/index.ts';
import type { EndpointAnswer, FakeEndpoint, ReceivedCall } from './testing/index.ts';

const region = testRegion();
const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
const INSTANCE = testInstance(0xa);
const OTHER = testInstance(0xb);
const ID = '5f2b8a52-6f2c-4c2a-9c6e-1c1f6c7d8e9f';
const { signal } = new AbortController();

const REQUEST: CommandRequest = {
  document: 'Tagplane-Enroll',
  instances: [INSTANCE, OTHER],
  parameters: { token: ['very-secret'] },
  timeoutMs: 90_500,
  comment: 'c'.repeat(200),
};

let endpoint: FakeEndpoint;
let commands: Commands;
afterEach(async () => {
  commands[Symbol.dispose]();
  await endpoint[Symbol.asyncDispose]();
});

async function serve(script: (call: ReceivedCall) => EndpointAnswer): Promise<void> {
  endpoint = await fakeEndpoint(script);
  commands = createCommands({ region, credentials, endpoint: endpoint.url });
}

describe('managedInstances', () => {
  it('tells the EC2 instances of every page', async () => {
    const known = (InstanceId: string, parts: object) => ({ InstanceId, PingStatus: 'Online', ...parts });
    await serve(({ input }) =>
      input['NextToken'] === undefined
        ? { body: { InstanceInformationList: [], NextToken: 'n' } }
        : {
            body: {
              InstanceInformationList: [
                known(INSTANCE, { PlatformType: 'Linux', AgentVersion: '3.3' }),
                known(OTHER, { PlatformType: 'Windows', PingStatus: 'ConnectionLost' }),
                known('mi-0123456789abcdef0', {}),
              ],
            },
          },
    );
    const pages: ManagedInstance[][] = [];
    for await (const page of commands.managedInstances(signal)) pages.push(page);
    expect(pages).toEqual([
      [
        { instance: INSTANCE, online: true, platform: 'linux', agentVersion: '3.3' },
        { instance: OTHER, online: false, platform: 'windows', agentVersion: '' },
      ],
    ]);
    expect(endpoint.calls[0]).toMatchObject({
      operation: 'DescribeInstanceInformation',
      input: { MaxResults: 50, Filters: [{ Key: 'ResourceType', Values: ['EC2Instance'] }] },
    });
  });
});

describe('send', () => {
  it('sends what was asked for', async () => {
    await serve(() => ({ body: { Command: { CommandId: ID } } }));
    expect(await commands.send(REQUEST, signal)).toBe(ID);
    expect(endpoint.calls.map(({ input }) => input)).toEqual([
      {
        DocumentName: 'Tagplane-Enroll',
        InstanceIds: [INSTANCE, OTHER],
        Parameters: { token: ['very-secret'] },
        TimeoutSeconds: 91,
        Comment: 'c'.repeat(100),
      },
    ]);
  });

  it('comes again when it was throttled', async () => {
    await serve(() =>
      endpoint.calls.length === 1
        ? { error: 'ThrottlingException' }
        : { body: { Command: { CommandId: ID } } },
    );
    expect(await commands.send(REQUEST, signal)).toBe(ID);
    expect(endpoint.calls.length).toBe(2);
  }, 60_000);

  it('is not repeated when nobody knows whether it began', async () => {
    await serve(() => ({ error: 'InternalServerError', status: 500 }));
    await expect(commands.send(REQUEST, signal)).rejects.toMatchObject({ kind: 'unreachable' });
    expect(endpoint.calls.length).toBe(1);
  });

  it('says what to do, without what was sent', async () => {
    await serve(() => ({ error: 'AccessDeniedException' }));
    const error: unknown = await commands.send(REQUEST, signal).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      kind: 'denied',
      fix: 'the caller is not allowed ssm:SendCommand on Tagplane-Enroll: add it to its policy',
    });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('very-secret');
  });

  it('takes an answer without an id for none', async () => {
    await serve(() => ({ body: {} }));
    await expect(commands.send(REQUEST, signal)).rejects.toMatchObject({ code: 'MalformedResponse' });
  });

  it('ends its pause when the signal aborts', async () => {
    const stop = new AbortController();
    await serve(() => {
      setImmediate(() => {
        stop.abort();
      });
      return { error: 'ThrottlingException' };
    });
    await expect(commands.send(REQUEST, stop.signal)).rejects.toMatchObject({ kind: 'aborted' });
  });
});

describe('results', () => {
  it.each([
    [{ Status: 'Pending' }, 'pending', 'Pending'],
    [{ Status: 'Delayed', StatusDetails: 'Delayed' }, 'pending', 'Delayed'],
    [{ Status: 'InProgress', StatusDetails: 'InProgress' }, 'running', 'InProgress'],
    [{ Status: 'Cancelling' }, 'running', 'Cancelling'],
    [{ Status: 'Success', CommandPlugins: [{ Output: 'fine' }] }, 'succeeded', 'Success'],
    [{ Status: 'Cancelled' }, 'cancelled', 'Cancelled'],
    [{ Status: 'TimedOut', StatusDetails: 'Delivery Timed Out' }, 'timed-out', 'Delivery Timed Out'],
    [{ Status: 'Failed', CommandPlugins: [{ Output: ' no space\n' }] }, 'failed', 'Failed: no space'],
    [{}, 'failed', 'unknown'],
  ])('reads %j as %s', async (invocation, status, detail) => {
    await serve(() => ({ body: { CommandInvocations: [{ InstanceId: INSTANCE, ...invocation }] } }));
    expect(await commands.results(ID, signal)).toEqual([{ instance: INSTANCE, status, detail }]);
    expect(endpoint.calls).toMatchObject([
      { operation: 'ListCommandInvocations', input: { CommandId: ID, Details: true, MaxResults: 50 } },
    ]);
  });

  it('has the end of a long output, over all pages, and no machine outside of EC2', async () => {
    const failed = (InstanceId: string) => ({
      ...{ InstanceId, Status: 'Failed' },
      CommandPlugins: [{ Output: 'x'.repeat(2_000) }, { Output: 'the end' }],
    });
    await serve(({ input }) =>
      input['NextToken'] === undefined
        ? { body: { CommandInvocations: [failed(INSTANCE)], NextToken: 'n' } }
        : { body: { CommandInvocations: [failed(OTHER), failed('mi-0123456789abcdef0')] } },
    );
    const results = await commands.results(ID, signal);
    expect(results.map(({ instance }) => instance)).toEqual([INSTANCE, OTHER]);
    expect(results[0]?.detail).toMatch(/^Failed: x+\nthe end$/);
    expect(results[0]?.detail.length).toBe('Failed: '.length + 400);
  });
});

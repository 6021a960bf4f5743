import {
  CancelCommandCommand,
  CreateDocumentCommand,
  DescribeInstanceInformationCommand,
  GetCommandInvocationCommand,
  GetDocumentCommand,
  ListCommandInvocationsCommand,
  ListCommandsCommand,
  SSMClient,
  SendCommandCommand,
} from '@aws-sdk/client-ssm';
import type { SendCommandCommandInput } from '@aws-sdk/client-ssm';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createEc2Simulator } from '../simulator.ts';
import type { RunningSimulator } from '../simulator.ts';
import { clientOptions } from '../testing/aws.ts';
import { refusal } from '../testing/client.ts';
import type { DeliveredCommand } from './command.ts';

const REGION = 'eu-central-1';
const SHELL = { DocumentName: 'AWS-RunShellScript', Parameters: { commands: ['true'] } };

let simulator: RunningSimulator;
let client: SSMClient;
let ids: string[];
let now: number;

beforeEach(async () => {
  now = Date.now();
  simulator = await createEc2Simulator({ instances: 130, regions: [REGION], now: () => now }).listen();
  client = new SSMClient(clientOptions(simulator));
  ids = simulator.fleet.list({ region: REGION, limit: 130 }).map(({ id }) => id);
});

afterEach(async () => {
  client.destroy();
  await simulator.close();
});

async function send(instances: readonly (string | undefined)[], more: Partial<SendCommandCommandInput> = {}) {
  const InstanceIds = instances.map((id) => id ?? 'none');
  const { Command } = await client.send(new SendCommandCommand({ ...SHELL, InstanceIds, ...more }));
  return Command?.CommandId ?? '';
}

async function outcome(CommandId: string) {
  const answer = await client.send(new ListCommandInvocationsCommand({ CommandId, Details: true }));
  return (answer.CommandInvocations ?? []).map(({ Status, StatusDetails, CommandPlugins }) => [
    Status,
    StatusDetails,
    CommandPlugins?.[0]?.Output,
  ]);
}

/** Lets handlers end: nothing of them waits for a clock. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('DescribeInstanceInformation', () => {
  it('lists, in pages, every instance that has an SSM agent, and whether it is heard of', async () => {
    const [first = '', second = ''] = ids;
    simulator.ssm.setAgent({ region: REGION, id: first }, 'none');
    simulator.ssm.setAgent({ region: REGION, id: second }, 'offline');
    const found: (string | undefined)[] = [];
    let NextToken: string | undefined;
    const sizes: number[] = [];
    do {
      const page = await client.send(new DescribeInstanceInformationCommand({ MaxResults: 50, NextToken }));
      const list = page.InstanceInformationList ?? [];
      sizes.push(list.length);
      found.push(...list.map(({ InstanceId, PingStatus }) => `${InstanceId} ${PingStatus}`));
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    expect(sizes).toEqual([50, 50, 29]);
    expect(found).toEqual(ids.slice(1).map((id) => `${id} ${id === second ? 'ConnectionLost' : 'Online'}`));
  });

  it.each([
    [{ Filters: [{ Key: 'PingStatus', Values: ['ConnectionLost'] }] }, 1],
    [{ Filters: [{ Key: 'PlatformTypes', Values: ['Windows'] }] }, 0],
    [{ Filters: [{ Key: 'ResourceType', Values: ['EC2Instance'] }] }, 5],
    [{ InstanceInformationFilterList: [{ key: 'PingStatus' as const, valueSet: ['ConnectionLost'] }] }, 1],
  ])('filters by %j', async (input, count) => {
    simulator.ssm.setAgent({ region: REGION, id: ids[7] ?? '' }, 'offline');
    const answer = await client.send(new DescribeInstanceInformationCommand({ ...input, MaxResults: 5 }));
    expect(answer.InstanceInformationList).toHaveLength(count);
  });

  it('refuses filters, tokens and page sizes that SSM has not', async () => {
    const ask = (input: object) => refusal(client.send(new DescribeInstanceInformationCommand(input)));
    expect(await ask({ Filters: [{ Key: 'Colour', Values: ['red'] }] })).toMatchObject({
      name: 'InvalidFilterKey',
    });
    expect(await ask({ NextToken: 'made up' })).toMatchObject({ name: 'InvalidNextToken' });
    expect(await ask({ MaxResults: 51 })).toMatchObject({ name: 'ValidationException' });
  });

  it('loses what does not run, and forgets what is terminated', async () => {
    const [first = '', second = ''] = ids;
    simulator.fleet.setState({ region: REGION, id: first }, 'stopped');
    simulator.fleet.setState({ region: REGION, id: second }, 'terminated');
    const answer = await client.send(new DescribeInstanceInformationCommand({ MaxResults: 5 }));
    const [info] = answer.InstanceInformationList ?? [];
    expect(info).toMatchObject({ InstanceId: first, PingStatus: 'ConnectionLost', PlatformType: 'Linux' });
    expect(answer.InstanceInformationList?.map(({ InstanceId }) => InstanceId)).not.toContain(second);
  });
});

describe('SendCommand', () => {
  it('hands a command to every instance, and its outcome to whoever asks', async () => {
    const got: DeliveredCommand[] = [];
    simulator.ssm.onCommand((command) => {
      got.push(command);
      if (command.instance === ids[1])
        return { status: 'Failed', output: 'line\nlast', error: 'no', exitCode: 3 };
      return { status: 'Success', output: 'done' };
    });
    const id = await send([ids[0], ids[1]], { Comment: 'hello' });
    await settled();
    expect(got.map(({ instance }) => instance)).toEqual([ids[0], ids[1]]);
    expect(got[0]).toMatchObject({ commandId: id, parameters: { commands: ['true'] }, region: REGION });
    expect(await outcome(id)).toEqual([
      ['Success', 'Success', 'done'],
      ['Failed', 'Failed', 'line\nlast\n----------ERROR-------\nno\nfailed to run commands: exit status 3'],
    ]);
    const one = await client.send(new GetCommandInvocationCommand({ CommandId: id, InstanceId: ids[1] }));
    expect(one).toMatchObject({ ResponseCode: 3, StandardErrorContent: 'no', Status: 'Failed' });
    const { Commands } = await client.send(new ListCommandsCommand({ CommandId: id }));
    expect(Commands).toMatchObject([
      { Comment: 'hello', Parameters: { commands: ['true'] }, Status: 'Failed' },
    ]);
  });

  it('plays scripts: results for one instance or any, later, timed out, or never', async () => {
    simulator.ssm.script(
      { instance: ids[2] ?? '', outcome: { status: 'TimedOut' } },
      { outcome: { status: 'Success', output: 'late' }, delayMs: 5_000 },
      { outcome: 'never' },
    );
    const id = await send([ids[0], ids[1], ids[2], ids[3]]);
    await settled();
    const waiting = ['InProgress', 'InProgress', ''];
    const timedOut = ['TimedOut', 'ExecutionTimedOut', ''];
    expect(await outcome(id)).toEqual([waiting, waiting, timedOut, ['Success', 'Success', '']]);
    now += 5_000;
    expect(await outcome(id)).toEqual([
      ['Success', 'Success', 'late'],
      waiting,
      timedOut,
      ['Success', 'Success', ''],
    ]);
  });

  it('waits for an instance that is offline, for as long as it was told', async () => {
    const [first = '', second = ''] = ids;
    simulator.ssm.setAgent({ region: REGION, id: first }, 'offline');
    simulator.ssm.setAgent({ region: REGION, id: second }, 'offline');
    const id = await send([first, second], { TimeoutSeconds: 30 });
    expect(await outcome(id)).toEqual([
      ['Pending', 'Pending', ''],
      ['Pending', 'Pending', ''],
    ]);
    simulator.ssm.setAgent({ region: REGION, id: first }, 'online');
    await settled();
    now += 30_000;
    expect(await outcome(id)).toEqual([
      ['Success', 'Success', ''],
      ['TimedOut', 'DeliveryTimedOut', ''],
    ]);
  });

  it('can be cancelled before and while it is carried out', async () => {
    let stopped = false;
    simulator.ssm.onCommand(
      (_command, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            stopped = true;
            resolve({ status: 'Success' });
          });
        }),
    );
    const id = await send([ids[0]]);
    await settled();
    await client.send(new CancelCommandCommand({ CommandId: id }));
    await settled();
    expect(stopped).toBe(true);
    expect(await outcome(id)).toEqual([['Cancelled', 'Cancelled', '']]);
  });

  it.each<[string, Partial<SendCommandCommandInput>, string]>([
    ['an unknown instance', { InstanceIds: ['i-00000000000000000'] }, 'InvalidInstanceId'],
    ['no instances', { InstanceIds: [] }, 'ValidationException'],
    ['an unknown document', { DocumentName: 'Nobodys' }, 'InvalidDocument'],
    [
      'a parameter that the document has not',
      { Parameters: { commands: ['x'], colour: ['red'] } },
      'InvalidParameters',
    ],
    ['a parameter left out', { Parameters: {} }, 'InvalidParameters'],
    ['too short a time', { TimeoutSeconds: 29 }, 'ValidationException'],
  ])('refuses %s', async (_what, input, name) => {
    const call = new SendCommandCommand({ ...SHELL, InstanceIds: [ids[0] ?? ''], ...input });
    expect(await refusal(client.send(call))).toMatchObject({ name });
    expect([...simulator.ssm.invocations()]).toEqual([]);
  });

  it('refuses what SSM does not manage, what does not run, and more than fifty', async () => {
    simulator.ssm.setAgent({ region: REGION, id: ids[0] ?? '' }, 'none');
    simulator.fleet.setState({ region: REGION, id: ids[1] ?? '' }, 'stopped');
    expect(await refusal(send([ids[0]]))).toMatchObject({ name: 'InvalidInstanceId' });
    expect(await refusal(send([ids[1]]))).toMatchObject({ name: 'InvalidInstanceId' });
    expect(await refusal(send(ids.slice(2, 53)))).toMatchObject({ name: 'ValidationException' });
    expect(await send(ids.slice(2, 52))).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('documents', () => {
  const Content = JSON.stringify({
    schemaVersion: '2.2',
    parameters: {
      Name: { type: 'String', allowedPattern: '^[a-z]+$' },
      Note: { type: 'String', default: '' },
    },
  });

  it('are made, read, and decide which parameters are taken', async () => {
    await client.send(new CreateDocumentCommand({ Name: 'Mine', Content }));
    expect(await client.send(new GetDocumentCommand({ Name: 'Mine' }))).toMatchObject({ Content });
    const input = { DocumentName: 'Mine' };
    expect(await refusal(send([ids[0]], { ...input, Parameters: { Name: ['X'] } }))).toMatchObject({
      name: 'InvalidParameters',
    });
    await send([ids[0]], { ...input, Parameters: { Name: ['x'] } });
    expect(await refusal(client.send(new CreateDocumentCommand({ Name: 'Mine', Content })))).toMatchObject({
      name: 'DocumentAlreadyExists',
    });
    expect(
      await refusal(client.send(new CreateDocumentCommand({ Name: 'Bad', Content: '{' }))),
    ).toMatchObject({ name: 'InvalidDocumentContent' });
  });
});

describe('the control API', () => {
  it('sets agents, scripts results and lists what was sent', async () => {
    const control = async (method: string, path: string, body?: object) => {
      const init = { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
      const response = await fetch(`${simulator.url}/_control/ssm/${path}`, init);
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    await control('PUT', `agents/${REGION}/${ids[0] ?? ''}`, { state: 'offline' });
    await control('POST', 'results', { status: 'Failed', output: 'disk full', exit_code: 28 });
    await send([ids[0], ids[1]]);
    expect((await control('GET', 'commands')).body).toMatchObject({
      invocations: [{ status: 'Pending' }, { status: 'Failed', output: 'disk full' }],
    });
    expect((await control('PUT', 'agents', { state: 'none' })).status).toBe(200);
    expect(await refusal(send([ids[2]]))).toMatchObject({ name: 'InvalidInstanceId' });
    expect((await control('PUT', 'agents', { state: 'asleep' })).status).toBe(400);
    expect((await control('POST', 'results', { status: 'Maybe' })).status).toBe(400);
    await fetch(`${simulator.url}/_control/reset`, { method: 'POST' });
    expect((await control('GET', 'commands')).body).toEqual({ invocations: [] });
    expect(await send([ids[0]])).not.toBe('');
  });
});

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  RoleError,
  callerAccount,
  createCommands,
  createQueue,
  createRoles,
  listAccounts,
} from '@tagplane/aws';
import type { AwsCallOptions } from '@tagplane/aws';
import { commandsContract, queueContract, testInstance, testRegion } from '@tagplane/aws/testing';
import { createEc2Scanner } from '@tagplane/ec2';
import { startMoto } from '@tagplane/ec2/testing';
import type { Moto } from '@tagplane/ec2/testing';
import type { Boto3 } from './boto3.ts';
import { startBoto3 } from './boto3.ts';

jest.setTimeout(300_000);

const region = testRegion('eu-central-1');
const credentials = { accessKeyId: 'testing', secretAccessKey: 'testing' };
const signal = new AbortController().signal;
/** moto's own account, and another that a role leads to. */
const ACCOUNT = '123456789012';
const MEMBER = '210987654321';
const ROLE = { roleArn: `arn:aws:iam::${MEMBER}:role/TagplaneDiscovery`, externalId: 'any' };

let moto: Moto;
let boto3: Boto3;
let aws: AwsCallOptions;

beforeAll(async () => {
  moto = await startMoto();
  boto3 = await startBoto3(moto.url);
  aws = { region, credentials, endpoint: moto.url };
}, 300_000);

afterAll(async () => {
  await moto.stop();
}, 60_000);

/** One call of boto3, and its answer. */
async function call<Answer>(service: string, method: string, parameters: object = {}): Promise<Answer> {
  const [answer] = await boto3.call([{ region, service, method, arguments: parameters }]);
  return answer as Answer;
}

describe('roles against moto', () => {
  it('lead to the account of the role, and to its instances', async () => {
    using roles = createRoles({ region, base: credentials, endpoint: moto.url });
    const hub = { roleArn: 'arn:aws:iam::310987654321:role/Hub' };
    const provider = roles.provider([hub, { ...ROLE, tags: { team: 'a b' } }]);
    expect(await callerAccount(aws, signal)).toBe(ACCOUNT);
    expect(await callerAccount({ ...aws, credentials: provider }, signal)).toBe(MEMBER);
    using scanner = createEc2Scanner({ region, credentials: provider, endpoint: moto.url });
    for await (const page of scanner.scan({ signal })) expect(page.instances).toEqual([]);
  });

  it('that STS does not take are refused with what to do', async () => {
    using roles = createRoles({ region, base: credentials, endpoint: moto.url });
    const error: unknown = await roles
      .provider([{ ...ROLE, sessionName: 'x'.repeat(65) }])()
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RoleError);
    expect(error).toMatchObject({ roleArn: ROLE.roleArn, fix: expect.stringContaining('`session_name`') });
  });
});

describe('an organisation in moto', () => {
  it('is told of, account by account, as boto3 made it', async () => {
    const notYet = listAccounts(aws, signal);
    await expect(notYet).rejects.toMatchObject({ code: 'AWSOrganizationsNotInUseException' });
    await call('organizations', 'create_organization', { FeatureSet: 'ALL' });
    const roots = await call<{ Roots: { Id: string }[] }>('organizations', 'list_roots');
    const root = roots.Roots[0]?.Id ?? '';
    const unit = async (ParentId: string, Name: string): Promise<string> => {
      interface Answer {
        OrganizationalUnit: { Id: string };
      }
      const made = await call<Answer>('organizations', 'create_organizational_unit', { ParentId, Name });
      return made.OrganizationalUnit.Id;
    };
    const outer = await unit(root, 'outer');
    const inner = await unit(outer, 'inner');
    const names = Array.from({ length: 23 }, (_, i) => `account ${i}`);
    const created = (await boto3.call(
      names.map((AccountName, i) => ({
        ...{ region, service: 'organizations', method: 'create_account' },
        arguments: { AccountName, Email: `a${i}@example.com`, Tags: [{ Key: 'number', Value: `${i}` }] },
      })),
    )) as { CreateAccountStatus: { AccountId: string } }[];
    const ids = created.map(({ CreateAccountStatus }) => CreateAccountStatus.AccountId);
    await boto3.call(
      ids.slice(0, 21).map((AccountId) => ({
        ...{ region, service: 'organizations', method: 'move_account' },
        arguments: { AccountId, SourceParentId: root, DestinationParentId: inner },
      })),
    );
    const accounts = await listAccounts({ ...aws, withTags: true }, signal);
    const told = new Map(accounts.map((account) => [account.id as string, account]));
    expect(told.size).toBe(24);
    ids.forEach((id, i) => {
      const ous = i < 21 ? [root, outer, inner] : [root];
      const tags = new Map([['number', `${i}`]]);
      expect(told.get(id)).toEqual({ id, name: `account ${i}`, status: 'active', ous, tags });
    });
    expect(told.get(ACCOUNT)).toMatchObject({ status: 'active', ous: [root] });
  });
});

let queues = 0;
queueContract('moto', async () => {
  queues += 1;
  const QueueName = `contract-${queues}`;
  const { QueueUrl } = await call<{ QueueUrl: string }>('sqs', 'create_queue', { QueueName });
  const queue = createQueue({ ...aws, url: QueueUrl });
  return {
    queue,
    put: async (bodies) => {
      const send = { region, service: 'sqs', method: 'send_message' };
      await boto3.call(bodies.map((MessageBody) => ({ ...send, arguments: { QueueUrl, MessageBody } })));
    },
    [Symbol.asyncDispose]: () => {
      queue[Symbol.dispose]();
      return Promise.resolve();
    },
  };
});

describe('a queue in moto', () => {
  it('that is not there is an error that says what to do', async () => {
    using queue = createQueue({ ...aws, url: `${moto.url}/${ACCOUNT}/nowhere` });
    await expect(queue.receive({ max: 1, waitMs: 0, visibilityMs: 0 }, signal)).rejects.toMatchObject({
      code: 'QueueDoesNotExist',
      fix: expect.stringContaining('check `events`'),
    });
  });
});

commandsContract(
  'moto',
  () => {
    const commands = createCommands(aws);
    return Promise.resolve({
      commands,
      manage: (count) => Promise.resolve(Array.from({ length: count }, (_, i) => testInstance(i + 1))),
      [Symbol.asyncDispose]: () => {
        commands[Symbol.dispose]();
        return Promise.resolve();
      },
    });
  },
  // moto has neither DescribeInstanceInformation nor ListCommandInvocations.
  { lists: false, tells: false },
);

describe('a command in moto', () => {
  it('is there as it was sent, in the eyes of boto3', async () => {
    using commands = createCommands(aws);
    const instances = [testInstance(1), testInstance(2)];
    const parameters = { commands: ['echo "é" \'$x\'', 'true'], executionTimeout: ['600'] };
    const request = { document: 'AWS-RunShellScript', instances, parameters, timeoutMs: 120_000 };
    const CommandId = await commands.send({ ...request, comment: 'enrolment' }, signal);
    interface Answer {
      Commands: Record<string, unknown>[];
    }
    const { Commands } = await call<Answer>('ssm', 'list_commands', { CommandId });
    expect(Commands).toMatchObject([
      {
        DocumentName: 'AWS-RunShellScript',
        Parameters: parameters,
        Comment: 'enrolment',
        TimeoutSeconds: 120,
      },
    ]);
    expect([...(Commands[0]?.['InstanceIds'] as string[])].sort()).toEqual(instances);
    const InstanceId = instances[1];
    const invocation = await call<object>('ssm', 'get_command_invocation', { CommandId, InstanceId });
    expect(invocation).toMatchObject({ Status: 'Success' });
  });
});

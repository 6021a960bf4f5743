import {
  SSMClient,
  SendCommandCommand,
  paginateDescribeInstanceInformation,
  paginateListCommandInvocations,
} from '@aws-sdk/client-ssm';
import type { CommandInvocation, InstanceInformation } from '@aws-sdk/client-ssm';
import { parseInstanceId } from '@tagplane/identity';
import type { InstanceId } from '@tagplane/identity';
import { MINUTE, SECOND, fullJitter, sleep } from '@tagplane/runtime';
import { AwsCallError } from './call-error.ts';
import type { AwsCall, AwsCallOptions } from './client.ts';
import { callAws, clientSettings } from './client.ts';

/** An EC2 instance with an SSM agent. */
export interface ManagedInstance {
  readonly instance: InstanceId;
  /** Whether its SSM agent has been heard of lately. */
  readonly online: boolean;
  /** What the SSM agent says it runs on; undefined when it does not. */
  readonly platform: 'linux' | 'windows' | 'macos' | undefined;
  readonly agentVersion: string;
}

export interface CommandRequest {
  /** A document's name or ARN. */
  readonly document: string;
  /** 1 to 50. All of them, and everybody who may read the command, see its parameters. */
  readonly instances: readonly InstanceId[];
  readonly parameters: Readonly<Record<string, readonly string[]>>;
  /** How long the command may wait for an instance before it begins: at least 30,000. */
  readonly timeoutMs: number;
  /** At most 100 characters of it are shown. */
  readonly comment: string;
}

/** `pending`: not yet begun. `timed-out`: of SSM, in waiting for the instance or in running. */
export type CommandStatus = 'pending' | 'running' | 'succeeded' | 'failed' | 'timed-out' | 'cancelled';

/** What became of a command on one instance. */
export interface CommandResult {
  readonly instance: InstanceId;
  readonly status: CommandStatus;
  /** SSM's own word for it, and the end of what the command printed when it failed. */
  readonly detail: string;
}

/** SSM's Run Command. All calls reject with an AwsCallError, or with the RoleError of the credentials. */
export interface Commands extends Disposable {
  /** The EC2 instances of the account and region that have an SSM agent, up to 50 a page. */
  managedInstances(signal: AbortSignal): AsyncIterable<ManagedInstance[]>;
  /**
   * Begins a command, and resolves to its id. It is not repeated when its answer was lost, since it would run
   * twice: only when SSM refused it for its rate.
   */
  send(request: CommandRequest, signal: AbortSignal): Promise<string>;
  /** One result for each instance that SSM has got to; none for a while after `send`. */
  results(commandId: string, signal: AbortSignal): Promise<CommandResult[]>;
}

/** The most that SSM gives in a page. */
const PAGE_SIZE = 50;
/** SSM throttles an account early: the SDK slows down by itself, and these attempts span half a minute. */
const MAX_ATTEMPTS = 6;
const PAGE_TIMEOUT_MS = 2 * MINUTE;
const COMMENT_CHARACTERS = 100;
/** The end of an output says why it ended; SSM keeps 2,500 characters of it. */
const DETAIL_CHARACTERS = 400;

const STATUSES: Readonly<Record<string, CommandStatus>> = {
  Pending: 'pending',
  Delayed: 'pending',
  InProgress: 'running',
  Cancelling: 'running',
  Success: 'succeeded',
  Cancelled: 'cancelled',
  TimedOut: 'timed-out',
  Failed: 'failed',
};

export function createCommands(options: AwsCallOptions): Commands {
  const limits = { maxAttempts: MAX_ATTEMPTS, connections: 2 };
  const client = new SSMClient({ ...clientSettings(options, limits), retryMode: 'adaptive' });
  // A client of its own, for its own way of retrying.
  const sender = new SSMClient(clientSettings(options, { ...limits, maxAttempts: 1 }));
  const callOf = (operation: string, subject?: string): AwsCall => ({
    ...{ service: 'SSM', operation, region: options.region },
    ...(subject === undefined ? {} : { subject }),
  });
  return {
    managedInstances: (signal) => managedInstances(client, callOf('DescribeInstanceInformation'), signal),
    send: (request, signal) => send(sender, callOf('SendCommand', request.document), request, signal),
    results: (commandId, signal) => results(client, callOf('ListCommandInvocations'), commandId, signal),
    [Symbol.dispose]: () => {
      client.destroy();
      sender.destroy();
    },
  };
}

async function* managedInstances(
  client: SSMClient,
  call: AwsCall,
  signal: AbortSignal,
): AsyncGenerator<ManagedInstance[], void, undefined> {
  // Machines outside of EC2 are managed as well, and have no place here.
  const input = { Filters: [{ Key: 'ResourceType', Values: ['EC2Instance'] }] };
  const config = { client, pageSize: PAGE_SIZE };
  const pages = paginateDescribeInstanceInformation(config, input, { abortSignal: signal });
  for (;;) {
    const next = await callAws(call, { signal, timeoutMs: PAGE_TIMEOUT_MS }, () => pages.next());
    if (next.done === true) return;
    const found = (next.value.InstanceInformationList ?? []).flatMap(managedInstance);
    if (found.length > 0) yield found;
  }
}

function managedInstance(info: InstanceInformation): ManagedInstance[] {
  const instance = parseInstanceId(info.InstanceId ?? '');
  if (instance === undefined) return [];
  const platform = (['linux', 'windows', 'macos'] as const).find(
    (name) => name === info.PlatformType?.toLowerCase(),
  );
  return [
    { instance, online: info.PingStatus === 'Online', platform, agentVersion: info.AgentVersion ?? '' },
  ];
}

/** Refused for its rate, a command has not begun. */
const SEND_ATTEMPTS = 4;
const SEND_PAUSE = { baseMs: SECOND, maxMs: 8 * SECOND };

async function send(
  client: SSMClient,
  call: AwsCall,
  request: CommandRequest,
  signal: AbortSignal,
): Promise<string> {
  const input = {
    DocumentName: request.document,
    InstanceIds: [...request.instances],
    Parameters: Object.fromEntries(
      Object.entries(request.parameters).map(([name, values]) => [name, [...values]]),
    ),
    TimeoutSeconds: Math.max(30, Math.ceil(request.timeoutMs / SECOND)),
    Comment: request.comment.slice(0, COMMENT_CHARACTERS),
  };
  for (let attempt = 0; ; attempt += 1) {
    try {
      const { Command } = await callAws(call, { signal, timeoutMs: MINUTE }, (abortSignal) =>
        client.send(new SendCommandCommand(input), { abortSignal }),
      );
      if (Command?.CommandId !== undefined) return Command.CommandId;
      throw new AwsCallError({ ...call, kind: 'other', code: 'MalformedResponse' });
    } catch (error) {
      const again = error instanceof AwsCallError && error.kind === 'throttled';
      if (!again || attempt + 1 >= SEND_ATTEMPTS) throw error;
      await pause(fullJitter(attempt, SEND_PAUSE), call, signal);
    }
  }
}

async function pause(ms: number, call: AwsCall, signal: AbortSignal): Promise<void> {
  await sleep(ms, signal).catch((cause: unknown) => {
    throw new AwsCallError({ ...call, kind: 'aborted', code: 'AbortError' }, { cause });
  });
}

async function results(
  client: SSMClient,
  call: AwsCall,
  commandId: string,
  signal: AbortSignal,
): Promise<CommandResult[]> {
  const input = { CommandId: commandId, Details: true };
  const config = { client, pageSize: PAGE_SIZE };
  const pages = paginateListCommandInvocations(config, input, { abortSignal: signal });
  const found: CommandResult[] = [];
  for (;;) {
    const next = await callAws(call, { signal, timeoutMs: PAGE_TIMEOUT_MS }, () => pages.next());
    if (next.done === true) return found;
    found.push(...(next.value.CommandInvocations ?? []).flatMap(commandResult));
  }
}

function commandResult(invocation: CommandInvocation): CommandResult[] {
  const instance = parseInstanceId(invocation.InstanceId ?? '');
  if (instance === undefined) return [];
  const status = STATUSES[invocation.Status ?? ''] ?? 'failed';
  const word = invocation.StatusDetails ?? invocation.Status ?? 'unknown';
  const output = (invocation.CommandPlugins ?? [])
    .map(({ Output }) => Output?.trim() ?? '')
    .join('\n')
    .trim();
  const told = status === 'failed' || status === 'timed-out' ? output.slice(-DETAIL_CHARACTERS) : '';
  return [{ instance, status, detail: told === '' ? word : `${word}: ${told}` }];
}

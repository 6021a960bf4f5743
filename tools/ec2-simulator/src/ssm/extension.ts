import { AwsError } from '../aws-error.ts';
import type { ControlRoute, Extension } from '../extension.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { createJsonService } from '../json-service.ts';
import { statusOf } from './command.ts';
import type { CommandOutcome, Invocation, SsmAgentState } from './command.ts';
import {
  cancelCommand,
  getCommandInvocation,
  listCommandInvocations,
  listCommands,
  sendCommand,
} from './commands.ts';
import { Documents } from './documents.ts';
import { describeInstanceInformation } from './instance-information.ts';
import type { SsmControl } from './ssm-control.ts';

const AGENT_STATES: readonly string[] = ['online', 'offline', 'none'] satisfies SsmAgentState[];

/** AWS Systems Manager's Run Command over the fleet. */
export function createSsm(fleet: Fleet, control: SsmControl): Extension {
  const documents = new Documents();
  const parts = { fleet, control, documents };
  return {
    service: createJsonService({
      name: 'ssm',
      target: 'AmazonSSM',
      version: '1.1',
      actions: new Map([
        ['DescribeInstanceInformation', describeInstanceInformation(fleet, control)],
        ['SendCommand', sendCommand(parts)],
        ['ListCommands', listCommands(parts)],
        ['ListCommandInvocations', listCommandInvocations(parts)],
        ['GetCommandInvocation', getCommandInvocation(parts)],
        ['CancelCommand', cancelCommand(parts)],
        ['CreateDocument', documents.create],
        ['GetDocument', documents.get],
      ]),
    }),
    routes: routes(fleet, control),
    reset: () => {
      control.reset();
      documents.reset();
    },
    close: () => {
      control.close();
    },
  };
}

function routes(fleet: Fleet, control: SsmControl): ReadonlyMap<string, ControlRoute> {
  return new Map<string, ControlRoute>([
    [
      'GET ssm commands',
      () => ({
        invocations: [...control.invocations()].map((each) => viewOf(each, fleet.options.now())),
      }),
    ],
    [
      'PUT ssm agents',
      ({ body }) => {
        control.setAgents(agentState(body['state']));
        return { state: body['state'] };
      },
    ],
    [
      'PUT ssm agents * *',
      ({ parts, query, body }) => {
        const [, , region = '', id = ''] = parts;
        control.setAgent(
          { region, id, account: query.get('account') ?? undefined },
          agentState(body['state']),
        );
        return { state: body['state'] };
      },
    ],
    [
      'POST ssm results',
      ({ body }) => {
        control.script({
          instance: typeof body['instance'] === 'string' ? body['instance'] : undefined,
          outcome: outcomeOf(body),
          delayMs: numberOf(body['delay_ms'], 'delay_ms', 0),
          count: numberOf(body['count'], 'count', 1),
        });
        return { scripted: true };
      },
    ],
  ]);
}

function viewOf(invocation: Invocation, now: number): object {
  const { status, details, outcome } = statusOf(invocation, now);
  return { ...invocation.command, status, details, ...outcome };
}

function agentState(value: unknown): SsmAgentState {
  if (typeof value === 'string' && AGENT_STATES.includes(value)) return value as SsmAgentState;
  throw new AwsError('BadRequest', 'state: online, offline or none');
}

function outcomeOf(body: Readonly<Record<string, unknown>>): CommandOutcome | 'never' {
  const { status, output, error, exit_code: exitCode } = body;
  if (status === 'Never') return 'never';
  if (status !== 'Success' && status !== 'Failed' && status !== 'TimedOut') {
    throw new AwsError('BadRequest', 'status: Success, Failed, TimedOut or Never');
  }
  return {
    status,
    output: typeof output === 'string' ? output : undefined,
    error: typeof error === 'string' ? error : undefined,
    exitCode: typeof exitCode === 'number' ? exitCode : undefined,
  };
}

function numberOf(value: unknown, name: string, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  throw new AwsError('BadRequest', `${name}: a whole number`);
}

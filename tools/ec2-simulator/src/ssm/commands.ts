import { AwsError } from '../aws-error.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { JsonAction, JsonInput } from '../json-service.ts';
import type { Caller } from '../service.ts';
import { statusOf } from './command.ts';
import type { Invocation } from './command.ts';
import type { Documents } from './documents.ts';
import { invalid, optionalText, page, text, texts, wholeNumber } from './input.ts';
import type { SsmControl } from './ssm-control.ts';

/** API reference of SendCommand. */
const MAX_INSTANCES = 50;
const MAX_COMMENT = 100;
const TIMEOUT_SECONDS: [number, number, number] = [30, 2_592_000, 3_600];
const RESULTS: [number, number, number] = [1, 50, 50];
/** What SSM keeps of an output: with the list, and with one invocation. */
const LISTED_CHARACTERS = 2_500;
const KEPT_CHARACTERS = 24_000;

export interface SsmParts {
  readonly fleet: Fleet;
  readonly control: SsmControl;
  readonly documents: Documents;
}

export function sendCommand({ fleet, control, documents }: SsmParts): JsonAction {
  return (input, { caller, now }) => {
    const instances = instancesOf(input);
    const document = documents.require(caller, text(input, 'DocumentName'));
    const parameters = parametersOf(input);
    documents.check(document, parameters);
    const comment = optionalText(input, 'Comment');
    if (comment.length > MAX_COMMENT) throw invalid(`Comment: at most ${MAX_COMMENT} characters`);
    const timeoutMs = wholeNumber(input, 'TimeoutSeconds', TIMEOUT_SECONDS) * 1_000;
    for (const id of instances) requireManaged(fleet, control, caller, id);
    const { account, region } = caller;
    const sent = control.send({
      ...{ account, region, instances, parameters, comment, timeoutMs },
      document: document.name,
    });
    return { Command: commandView(sent, now) };
  };
}

/** Not registered, or not running: SSM says the same of both. */
function requireManaged(fleet: Fleet, control: SsmControl, { account, region }: Caller, id: string): void {
  const instance = fleet.get(account, region, id);
  const known = instance !== undefined && control.agentOf(instance) !== 'none';
  if (known && fleet.stateOf(instance) === 'running') return;
  throw new AwsError('InvalidInstanceId', `Instances [[${id}]] not in a valid state for account ${account}`);
}

function instancesOf(input: JsonInput): string[] {
  if (input['Targets'] !== undefined) throw invalid('the simulator takes InstanceIds, not Targets');
  const ids = texts(input['InstanceIds'], 'InstanceIds');
  if (ids.length < 1 || ids.length > MAX_INSTANCES) {
    throw invalid(`InstanceIds: from 1 to ${MAX_INSTANCES} instances`);
  }
  if (new Set(ids).size < ids.length) throw new AwsError('DuplicateInstanceId', 'An instance comes twice.');
  return ids;
}

function parametersOf(input: JsonInput): Record<string, string[]> {
  const value = input['Parameters'] ?? {};
  if (typeof value !== 'object') throw invalid('Parameters is an object');
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, texts(each, name)]));
}

export function listCommandInvocations({ control }: SsmParts): JsonAction {
  return (input, { caller, now }) => {
    const limit = wholeNumber(input, 'MaxResults', RESULTS);
    const instance = optionalText(input, 'InstanceId');
    const all = [...ofCaller(control, caller, optionalText(input, 'CommandId'))];
    const chosen = all.filter(({ command }) => instance === '' || command.instance === instance);
    const { items, next } = page(chosen, input, limit);
    const details = input['Details'] === true;
    return { CommandInvocations: items.map((item) => invocationView(item, now, details)), ...next };
  };
}

function ofCaller(control: SsmControl, { account, region }: Caller, commandId: string): Iterable<Invocation> {
  if (commandId !== '') {
    const found = control.of(account, region, commandId);
    if (found !== undefined) return found;
    throw new AwsError('InvalidCommandId', 'The specified command ID isn’t valid.');
  }
  return [...control.invocations()].filter(
    ({ command }) => command.account === account && command.region === region,
  );
}

export function getCommandInvocation({ control }: SsmParts): JsonAction {
  return (input, { caller, now }) => {
    const found = control.of(caller.account, caller.region, text(input, 'CommandId'));
    const id = text(input, 'InstanceId');
    const invocation = found?.find(({ command }) => command.instance === id);
    if (invocation === undefined) {
      throw new AwsError(
        'InvocationDoesNotExist',
        'The command ID and managed node ID are not known together.',
      );
    }
    const { status, details, outcome } = statusOf(invocation, now);
    return {
      ...{ CommandId: invocation.command.commandId, InstanceId: id, Comment: invocation.comment },
      ...{
        DocumentName: invocation.command.document,
        DocumentVersion: '1',
        PluginName: 'aws:runShellScript',
      },
      ...{ Status: status, StatusDetails: details, ResponseCode: codeOf(outcome) },
      StandardOutputContent: (outcome?.output ?? '').slice(0, KEPT_CHARACTERS),
      StandardErrorContent: (outcome?.error ?? '').slice(0, KEPT_CHARACTERS),
    };
  };
}

export function cancelCommand({ control }: SsmParts): JsonAction {
  return (input, { caller }) => {
    const only = input['InstanceIds'] === undefined ? undefined : texts(input['InstanceIds'], 'InstanceIds');
    for (const invocation of ofCaller(control, caller, text(input, 'CommandId'))) {
      if (only === undefined || only.includes(invocation.command.instance)) control.cancel(invocation);
    }
    return {};
  };
}

/** The history of commands, parameters and all: whoever may list them can read them. */
export function listCommands({ control }: SsmParts): JsonAction {
  return (input, { caller, now }) => {
    const byId = Map.groupBy(
      ofCaller(control, caller, optionalText(input, 'CommandId')),
      ({ command }) => command.commandId,
    );
    const { items, next } = page([...byId.values()], input, wholeNumber(input, 'MaxResults', RESULTS));
    return { Commands: items.map((item) => commandView(item, now)), ...next };
  };
}

function commandView(sent: readonly Invocation[], now: number): object {
  const [first] = sent;
  const statuses = sent.map((invocation) => statusOf(invocation, now).status);
  const open = statuses.some((status) => status === 'Pending' || status === 'InProgress');
  const bad = statuses.find((status) => status !== 'Success');
  const status = open ? 'InProgress' : (bad ?? 'Success');
  return {
    ...{
      CommandId: first?.command.commandId,
      DocumentName: first?.command.document,
      Comment: first?.comment,
    },
    ...{ Parameters: first?.command.parameters, InstanceIds: sent.map(({ command }) => command.instance) },
    ...{ RequestedDateTime: (first?.requestedAt ?? 0) / 1_000, Status: status, StatusDetails: status },
    TargetCount: sent.length,
    CompletedCount: statuses.filter((each) => each !== 'Pending' && each !== 'InProgress').length,
  };
}

function invocationView(invocation: Invocation, now: number, withDetails: boolean): object {
  const { command, comment, requestedAt } = invocation;
  const { status, details, outcome } = statusOf(invocation, now);
  const plugin = {
    ...{ Name: 'aws:runShellScript', Status: status, StatusDetails: details, ResponseCode: codeOf(outcome) },
    Output: outputOf(invocation, now),
  };
  return {
    ...{ CommandId: command.commandId, InstanceId: command.instance, DocumentName: command.document },
    ...{ Comment: comment, RequestedDateTime: requestedAt / 1_000, Status: status, StatusDetails: details },
    CommandPlugins: withDetails ? [plugin] : [],
  };
}

/** As SSM puts both outputs into one. */
function outputOf(invocation: Invocation, now: number): string {
  const { outcome } = statusOf(invocation, now);
  const error = outcome?.error ?? '';
  const all =
    error === '' ? (outcome?.output ?? '') : `${outcome?.output ?? ''}\n----------ERROR-------\n${error}`;
  if (outcome?.status !== 'Failed') return all.slice(-LISTED_CHARACTERS);
  return `${all}\nfailed to run commands: exit status ${codeOf(outcome)}`.slice(-LISTED_CHARACTERS);
}

function codeOf(
  outcome: { readonly status: string; readonly exitCode?: number | undefined } | undefined,
): number {
  if (outcome === undefined) return -1;
  return outcome.exitCode ?? (outcome.status === 'Success' ? 0 : 1);
}

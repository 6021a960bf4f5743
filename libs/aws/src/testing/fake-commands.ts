import type { InstanceId } from '@tagplane/identity';
import { AwsCallError } from '../call-error.ts';
import type { AwsCallErrorKind } from '../call-error.ts';
import type { CommandRequest, CommandResult, Commands, ManagedInstance } from '../commands.ts';

/** A command that was sent. */
export interface FakeCommand {
  readonly id: string;
  readonly request: CommandRequest;
}

/** SSM in memory, for tests. */
export interface FakeCommands extends Commands {
  /** All commands that were sent, in their order. */
  readonly sent: readonly FakeCommand[];
  /** Adds an instance with an SSM agent, or changes what is known of it. Linux and online unless said. */
  manage(instance: InstanceId, facts?: Partial<Omit<ManagedInstance, 'instance'>>): void;
  /** Says what became of a command on an instance; until then it is pending. */
  finish(commandId: string, result: CommandResult): void;
  /** Lets all calls fail so, until it is taken back by undefined. */
  fail(kind: Exclude<AwsCallErrorKind, 'aborted'> | undefined): void;
}

const PAGE_SIZE = 50;

export function fakeCommands(): FakeCommands {
  const managed = new Map<InstanceId, ManagedInstance>();
  const sent: FakeCommand[] = [];
  const finished = new Map<string, Map<InstanceId, CommandResult>>();
  let failing: Exclude<AwsCallErrorKind, 'aborted'> | undefined;
  const failure = (operation: string, kind: AwsCallErrorKind, code: string): AwsCallError =>
    new AwsCallError({ service: 'SSM', operation, kind, code });
  const check = (operation: string, signal: AbortSignal): void => {
    if (signal.aborted) throw failure(operation, 'aborted', 'AbortError');
    if (failing !== undefined) throw failure(operation, failing, 'Scripted');
  };
  const begin = (request: CommandRequest): string => {
    if (request.instances.length < 1 || request.instances.length > 50) {
      throw failure('SendCommand', 'other', 'ValidationException');
    }
    if (request.instances.some((instance) => !managed.has(instance))) {
      throw failure('SendCommand', 'other', 'InvalidInstanceId');
    }
    const id = `00000000-0000-4000-8000-${String(sent.length + 1).padStart(12, '0')}`;
    sent.push({ id, request });
    return id;
  };
  return {
    sent,
    manage: (instance, facts = {}) => {
      const plain = { online: true, platform: 'linux', agentVersion: '3.3.0.0' } as const;
      managed.set(instance, { ...plain, ...managed.get(instance), ...facts, instance });
    },
    finish: (commandId, result) => {
      const results = finished.get(commandId) ?? new Map<InstanceId, CommandResult>();
      finished.set(commandId, results.set(result.instance, result));
    },
    fail: (kind) => {
      failing = kind;
    },
    async *managedInstances(signal) {
      const all = [...managed.values()];
      for (let from = 0; from === 0 || from < all.length; from += PAGE_SIZE) {
        await Promise.resolve();
        check('DescribeInstanceInformation', signal);
        const page = all.slice(from, from + PAGE_SIZE);
        if (page.length > 0) yield page;
      }
    },
    send: (request, signal) =>
      Promise.resolve().then(() => {
        check('SendCommand', signal);
        return begin(request);
      }),
    results: (commandId, signal) =>
      Promise.resolve().then(() => {
        check('ListCommandInvocations', signal);
        const instances = sent.find(({ id }) => id === commandId)?.request.instances ?? [];
        const results = finished.get(commandId);
        return instances.map(
          (instance) => results?.get(instance) ?? { instance, status: 'pending' as const, detail: 'Pending' },
        );
      }),
    [Symbol.dispose]: () => undefined,
  };
}

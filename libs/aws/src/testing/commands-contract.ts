import { describe, expect, it, jest } from '@jest/globals';
import type { InstanceId } from '@tagplane/identity';
import type { CommandRequest, CommandResult, Commands, ManagedInstance } from '../commands.ts';
import { testInstance } from './ids.ts';

/** One account and region of SSM, without instances at first. */
export interface CommandsHarness extends AsyncDisposable {
  readonly commands: Commands;
  /** Sees to so many instances that SSM manages and commands succeed on. */
  manage(count: number): Promise<readonly InstanceId[]>;
}

/** Generous: a busy machine is slow, and only a failing test waits for it. */
const TEST_TIMEOUT_MS = 120_000;
const DEADLINE_MS = 60_000;
const signal = new AbortController().signal;

function request(instances: readonly InstanceId[]): CommandRequest {
  const parameters = { commands: ['echo "a b" $c', 'true'] };
  return { document: 'AWS-RunShellScript', instances, parameters, timeoutMs: 60_000, comment: 'contract' };
}

/** What every Commands keeps to, as Jest tests. Call it in a spec. Not all stand-ins can list
 * instances, or tell the results of a command. */
export function commandsContract(
  name: string,
  make: () => Promise<CommandsHarness>,
  { lists = true, tells = true }: { readonly lists?: boolean; readonly tells?: boolean } = {},
): void {
  jest.setTimeout(TEST_TIMEOUT_MS);
  describe(`commands contract: ${name}`, () => {
    if (lists) listingContract(make);
    if (tells) resultsContract(make);
    sendingContract(make);
  });
}

function listingContract(make: () => Promise<CommandsHarness>): void {
  it('lists every managed instance once, over pages', async () => {
    await using harness = await make();
    const instances = await harness.manage(51);
    const found: ManagedInstance[] = [];
    for await (const page of harness.commands.managedInstances(signal)) {
      expect(page.length).toBeLessThanOrEqual(50);
      found.push(...page);
    }
    expect(found.map(({ instance }) => instance).sort()).toEqual([...instances].sort());
    expect(found[0]).toMatchObject({ online: true, platform: 'linux' });
  });

  it('refuses instances that it does not manage', async () => {
    await using harness = await make();
    await expect(harness.commands.send(request([testInstance(77)]), signal)).rejects.toMatchObject({
      name: 'AwsCallError',
      service: 'SSM',
      operation: 'SendCommand',
      code: 'InvalidInstanceId',
    });
  });
}

function resultsContract(make: () => Promise<CommandsHarness>): void {
  it('sends a command to 50 instances, and tells of each what became of it', async () => {
    await using harness = await make();
    const instances = await harness.manage(50);
    const id = await harness.commands.send(request(instances), signal);
    const end = Date.now() + DEADLINE_MS;
    let results: CommandResult[] = [];
    const done = (): boolean => results.filter(({ status }) => status === 'succeeded').length === 50;
    while (!done() && Date.now() < end) results = await harness.commands.results(id, signal);
    expect(results.map(({ instance }) => instance).sort()).toEqual([...instances].sort());
    expect(results.map(({ status }) => status)).toEqual(instances.map(() => 'succeeded'));
  });
}

function sendingContract(make: () => Promise<CommandsHarness>): void {
  it('gives every command an id of its own', async () => {
    await using harness = await make();
    const instances = await harness.manage(1);
    const one = await harness.commands.send(request(instances), signal);
    const other = await harness.commands.send(request(instances), signal);
    expect(one).not.toBe(other);
  });

  it('rejects as aborted', async () => {
    await using harness = await make();
    const stop = AbortSignal.abort();
    const aborted = { name: 'AwsCallError', kind: 'aborted' };
    await expect(harness.commands.send(request([testInstance(1)]), stop)).rejects.toMatchObject(aborted);
    await expect(
      harness.commands.results('00000000-0000-4000-8000-000000000001', stop),
    ).rejects.toMatchObject(aborted);
    const listing = harness.commands.managedInstances(stop)[Symbol.asyncIterator]();
    await expect(listing.next()).rejects.toMatchObject(aborted);
  });
}

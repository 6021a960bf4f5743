import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { commandsContract } from './commands-contract.ts';
import { fakeCommands } from './fake-commands.ts';
import { fakeQueue } from './fake-queue.ts';
import { queueContract } from './queue-contract.ts';
import { testInstance } from './ids.ts';

const { signal } = new AbortController();
const INSTANCE = testInstance(0xa);

queueContract('fake', () => {
  const queue = fakeQueue();
  return Promise.resolve({
    queue,
    put: (bodies: readonly string[]) => {
      for (const body of bodies) queue.put(body);
      return Promise.resolve();
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
});

commandsContract('fake', () => {
  const commands = fakeCommands();
  return Promise.resolve({
    commands: {
      ...commands,
      // A contract's commands succeed.
      send: async (request, stop) => {
        const id = await commands.send(request, stop);
        for (const instance of request.instances) {
          commands.finish(id, { instance, status: 'succeeded', detail: 'Success' });
        }
        return id;
      },
    },
    manage: (count: number) => {
      const instances = Array.from({ length: count }, (_, i) => testInstance(i + 1));
      for (const instance of instances) commands.manage(instance);
      return Promise.resolve(instances);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
});

describe('fakeQueue', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('waits in virtual time, until a message comes or its time is over', async () => {
    using queue = fakeQueue();
    const options = { max: 10, waitMs: 20_000, visibilityMs: 30_000 };
    const nothing = queue.receive(options, signal);
    await jest.advanceTimersByTimeAsync(20_000);
    expect(await nothing).toEqual([]);
    const something = queue.receive(options, signal);
    expect(queue.waiting).toBe(1);
    queue.put('a');
    expect(await something).toMatchObject([{ body: 'a' }]);
    const again = queue.receive({ ...options, waitMs: 60_000 }, signal);
    await jest.advanceTimersByTimeAsync(30_000);
    expect(await again).toMatchObject([{ body: 'a', receivedCount: 2 }]);
    expect(queue.size).toBe(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('fails as it is told, also who waits', async () => {
    using queue = fakeQueue();
    const waiting = queue.receive({ max: 1, waitMs: 20_000, visibilityMs: 0 }, signal);
    queue.fail('denied');
    await expect(waiting).rejects.toMatchObject({ kind: 'denied', code: 'Scripted' });
    queue.fail(undefined);
    expect(await queue.receive({ max: 1, waitMs: 0, visibilityMs: 0 }, signal)).toEqual([]);
  });
});

describe('fakeCommands', () => {
  it('keeps what was sent, and a command pending until it is finished', async () => {
    const commands = fakeCommands();
    commands.manage(INSTANCE, { platform: 'windows' });
    commands.manage(INSTANCE, { online: false });
    for await (const page of commands.managedInstances(signal)) {
      expect(page).toEqual([
        { instance: INSTANCE, online: false, platform: 'windows', agentVersion: '3.3.0.0' },
      ]);
    }
    const request = { document: 'd', instances: [INSTANCE], parameters: {}, timeoutMs: 30_000, comment: '' };
    const id = await commands.send(request, signal);
    expect(commands.sent).toEqual([{ id, request }]);
    expect(await commands.results(id, signal)).toMatchObject([{ status: 'pending' }]);
    commands.finish(id, { instance: INSTANCE, status: 'failed', detail: 'why' });
    expect(await commands.results(id, signal)).toEqual([
      { instance: INSTANCE, status: 'failed', detail: 'why' },
    ]);
    const many = { ...request, instances: Array.from({ length: 51 }, () => INSTANCE) };
    await expect(commands.send(many, signal)).rejects.toMatchObject({ code: 'ValidationException' });
  });

  it('fails as it is told', async () => {
    const commands = fakeCommands();
    commands.fail('throttled');
    await expect(commands.results('x', signal)).rejects.toMatchObject({ kind: 'throttled' });
  });
});

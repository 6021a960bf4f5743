import { describe, expect, it, jest } from '@jest/globals';
import { silentLogger } from '@tagplane/runtime';
import type { OfferedUpdate } from '@tagplane/session';
import { systemClock } from './clock.ts';
import { ControlClient } from './control-client.ts';
import type { ControlClientOptions } from './control-client.ts';
import { tellAll } from './observer.ts';
import { Queue, sampleInstance, sampleServerId, startFakeAuth } from './testing/index.ts';
import type { FakeAuth } from './testing/index.ts';

jest.setTimeout(60_000);

const PROD = new Map([['aws/env', 'prod']]);
const DEV = new Map([['aws/env', 'dev']]);

/** A client whose updates take effect when the test says so. */
function heldUp(auth: FakeAuth, options: Partial<ControlClientOptions> = {}) {
  const applying = new Queue<OfferedUpdate>();
  const released = Promise.withResolvers<undefined>();
  const client = new ControlClient({
    addresses: [auth.address],
    reconnect: { firstMs: 20, longestMs: 40 },
    serverId: () => sampleServerId('node-1'),
    security: () => ({ mode: 'insecure' }),
    report: () => ({
      hostname: 'node-1',
      ownLabels: new Map(),
      importedLabels: new Map(),
      heldRolesRevision: '',
      heldRolesRemainingMs: undefined,
      instance: sampleInstance('0'),
      heldRevision: '',
      heldRemainingMs: undefined,
      trustGeneration: 0,
    }),
    apply: async (update) => {
      applying.put(update);
      await released.promise;
    },
    clock: systemClock('boot'),
    observer: tellAll([]),
    log: silentLogger(),
    ...options,
  });
  return { client, applying, release: released.resolve };
}

describe('ControlClient', () => {
  it('opens a stream in its new name, and drops unread what came on the old one', async () => {
    await using auth = await startFakeAuth();
    const { client, applying, release } = heldUp(auth);
    const stop = new AbortController();
    const running = client.run(stop.signal);
    const old = await auth.nextStream();
    await old.next('hello');
    old.replace('n1', PROD);
    await applying.take('the first update');
    old.replace('n2', DEV);
    old.send({ case: 'ping', value: { nonce: 'p' } });
    // Nothing tells from outside that the second update was read: a while is given to it.
    await new Promise((resolve) => setTimeout(resolve, 200));
    client.reidentified();
    release(undefined);
    const stream = await auth.nextStream();
    await stream.next('hello');
    stream.replace('n3', PROD);
    expect((await applying.take('an update on the new stream')).nonce).toBe('n3');
    expect((await stream.next('labelsAck')).nonce).toBe('n3');
    stop.abort();
    await running;
  });
});

import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Credentials } from '@tagplane/credentials';
import { TestAuthority } from '@tagplane/protocol/testing';
import { silentLogger } from '@tagplane/runtime';
import { AgentCredentials } from './agent-credentials.ts';

let made: Credentials;

beforeAll(async () => {
  const authority = await TestAuthority.create();
  made = await authority.credentials({ role: 'agent', name: 'web-1' });
});

/** One that joins at once, and waits on the way to its credentials' taking effect until it is let go. */
function joining() {
  const arrived = Promise.withResolvers<undefined>();
  const letGo = Promise.withResolvers<undefined>();
  const counts = { joins: 0, forgotten: 0 };
  const credentials = new AgentCredentials({
    credentials: undefined,
    join: () => {
      counts.joins += 1;
      return Promise.resolve(made);
    },
    renew: () => Promise.resolve(undefined),
    persist: () => Promise.resolve(),
    forget: () => {
      counts.forgotten += 1;
      return Promise.resolve();
    },
    onChange: () => {
      arrived.resolve(undefined);
      return letGo.promise;
    },
    observer: { joined: () => undefined, renewed: () => undefined },
    log: silentLogger(),
  });
  const release = (): void => {
    letGo.resolve(undefined);
  };
  return { credentials, counts, arrived: arrived.promise, release };
}

describe('AgentCredentials', () => {
  it('ends when it is told to stop while it takes its credentials up', async () => {
    const { credentials, arrived, release } = joining();
    const stop = new AbortController();
    const run = credentials.run(stop.signal);
    await arrived;
    stop.abort(new Error('enough'));
    release();
    await expect(run).rejects.toThrow('enough');
  });

  it('joins anew when it is told to give them up while it takes them up', async () => {
    const { credentials, counts, arrived, release } = joining();
    const stop = new AbortController();
    const run = credentials.run(stop.signal);
    await arrived;
    await credentials.giveUp('another instance');
    expect([counts.forgotten, credentials.readiness().ready]).toEqual([1, false]);
    release();
    await credentials.held(stop.signal);
    while (counts.joins < 2) await new Promise(setImmediate);
    stop.abort(new Error('enough'));
    await expect(run).rejects.toThrow('enough');
  });
});

import { afterEach, describe, expect, it } from '@jest/globals';
import { DeadlineError } from '@tagplane/runtime';
import { callAws } from './client.ts';
import { callerAccount } from './caller.ts';
import { RoleError } from './role-error.ts';
import { fakeEndpoint, testRegion } from './testing/index.ts';
import type { FakeEndpoint } from './testing/index.ts';

const region = testRegion();
const CALL = { service: 'STS', operation: 'GetCallerIdentity', region };
const { signal } = new AbortController();
const never = (): Promise<never> => new Promise(() => undefined);

describe('callAws', () => {
  it('bounds what never ends', async () => {
    await expect(callAws(CALL, { signal, timeoutMs: 5 }, never)).rejects.toMatchObject({
      name: 'AwsCallError',
      kind: 'unreachable',
      code: 'CallTimeout',
      fix: expect.stringContaining('no usable answer from STS in eu-central-1'),
    });
  });

  it('ends at once when it is called off, whatever is under way', async () => {
    const stop = new AbortController();
    const called = callAws(CALL, { signal: stop.signal, timeoutMs: 60_000 }, never);
    stop.abort();
    await expect(called).rejects.toMatchObject({ kind: 'aborted', code: 'AbortError', fix: undefined });
    let ran = false;
    const late = callAws(CALL, { signal: stop.signal, timeoutMs: 60_000 }, () => {
      ran = true;
      return Promise.resolve();
    });
    await expect(late).rejects.toMatchObject({ kind: 'aborted' });
    expect(ran).toBe(false);
  });

  it('takes the end of a time for several calls for what it is', async () => {
    const over = AbortSignal.abort(new DeadlineError('not done'));
    await expect(callAws(CALL, { signal: over, timeoutMs: 60_000 }, never)).rejects.toMatchObject({
      kind: 'unreachable',
      code: 'CallTimeout',
    });
  });

  it('lets the refusal of a role through, however it is wrapped', async () => {
    const role = new RoleError({ roleArn: 'r', kind: 'denied', code: 'AccessDenied', fix: 'f' });
    const wrapped = new Error('outer', { cause: new Error('inner', { cause: role }) });
    await expect(callAws(CALL, { signal, timeoutMs: 60_000 }, () => Promise.reject(wrapped))).rejects.toBe(
      role,
    );
  });
});

describe('clients', () => {
  let endpoint: FakeEndpoint;
  afterEach(async () => {
    await endpoint[Symbol.asyncDispose]();
  });

  it('come again after a fault of the service', async () => {
    endpoint = await fakeEndpoint(() =>
      endpoint.calls.length === 1
        ? { error: 'InternalFailure', status: 500 }
        : {
            body: '<R><GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult></R>',
          },
    );
    const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
    expect(await callerAccount({ region, credentials, endpoint: endpoint.url }, signal)).toBe('123456789012');
    expect(endpoint.calls.length).toBe(2);
  }, 60_000);
});

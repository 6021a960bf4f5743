import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code } from '@connectrpc/connect';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { fakeCommands } from '@tagplane/aws/testing';
import type { FakeCommands } from '@tagplane/aws/testing';
import { instanceKeyText } from '@tagplane/identity';
import { EnrolmentState, instanceToMessage } from '@tagplane/protocol';
import { MINUTE, Registry, SECOND, createLogger } from '@tagplane/runtime';
import { ScopeTable } from '../estate/scope.ts';
import type { InventoryInstance } from '../inventory.ts';
import { fakeScope } from '../testing/scopes.ts';
import { runEnrolment } from './enrolment.ts';
import { createEnrolmentMetrics } from './metrics.ts';
import { FakeEnrolments } from './testing/fake-enrolments.ts';
import { keyOf } from './testing/samples.ts';
import { enrollSettings } from './testing/settings.ts';
import { REASONS } from './view.ts';

const FENCE = {
  group: 'main',
  token: 1n,
  check: () => undefined,
  refused: (cause: unknown) => cause,
};

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

interface World extends AsyncDisposable {
  readonly auth: FakeEnrolments;
  readonly ssm: FakeCommands;
  readonly lines: string[];
  /** What there is, by number. */
  readonly instances: Map<number, Pick<InventoryInstance, 'state' | 'platform'>>;
  complete: boolean;
  /** Moves the clock on, and lets everything happen meanwhile. */
  pass(ms: number): Promise<void>;
  /** How an instance stands on record. */
  state(number: number): string;
}

/** Enrolment over a fake SSM and a fake auth service, for instances by number that SSM all manages. */
function start(
  numbers: readonly number[],
  options: { settings?: Record<string, unknown>; auth?: FakeEnrolments; unmanaged?: readonly number[] } = {},
): World {
  const { auth = new FakeEnrolments(), unmanaged = [] } = options;
  const ssm = fakeCommands();
  const scope = { ...fakeScope({}), enroll: enrollSettings(options.settings) };
  const instances: World['instances'] = new Map(
    numbers.map((number) => [number, { state: 'running', platform: 'linux' }]),
  );
  for (const number of numbers) if (!unmanaged.includes(number)) ssm.manage(keyOf(number).instance);
  const lines: string[] = [];
  const stop = new AbortController();
  const world = { complete: true };
  const running = runEnrolment(
    {
      ...{ transport: auth.transport, fence: FENCE, scopes: new ScopeTable([scope]) },
      inventory: {
        instances: () => [...instances].map(([number, facts]) => ({ key: keyOf(number), scope, ...facts })),
        isComplete: () => world.complete,
      },
      metrics: createEnrolmentMetrics(new Registry()),
      log: createLogger('test', 'trace', { write: (line) => lines.push(line) }),
      openCommands: () => ssm,
    },
    stop.signal,
  );
  return Object.assign(world, {
    ...{ auth, ssm, lines, instances },
    pass: async (ms: number) => {
      await jest.advanceTimersByTimeAsync(ms);
    },
    state: (number: number) => auth.stateOf(keyOf(number)),
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the test is over'));
      await running;
    },
  });
}

function agentComes({ auth }: World, number: number): void {
  auth.agents.set(instanceKeyText(keyOf(number)), keyOf(number));
}

function finish({ ssm }: World, number: number, status: 'succeeded' | 'failed', detail = ''): void {
  const { instance } = keyOf(number);
  const command = ssm.sent.findLast(({ request }) => request.instances.includes(instance));
  ssm.finish(command?.id ?? '', { instance, status, detail });
}

describe('enrolment', () => {
  it('takes an instance from WAITING by PENDING to ENROLLED', async () => {
    await using world = start([1]);
    await world.pass(20 * SECOND);
    expect(world.state(1)).toBe(`PENDING ${REASONS.commanded}`);
    finish(world, 1, 'succeeded');
    await world.pass(20 * SECOND);
    expect(world.state(1)).toBe(`PENDING ${REASONS.carriedOut}`);
    agentComes(world, 1);
    await world.pass(30 * SECOND);
    expect(world.state(1)).toBe('ENROLLED');
    const written = world.auth.written.length;
    await world.pass(10 * MINUTE);
    expect([world.auth.written.length, world.ssm.sent.length]).toEqual([written, 1]);
  });

  it('sends each token to its own instance alone, and writes it into no log', async () => {
    await using world = start([1, 2, 3]);
    await world.pass(30 * SECOND);
    expect(world.ssm.sent).toHaveLength(3);
    for (const { request } of world.ssm.sent) {
      const [instance, ...others] = request.instances;
      expect(others).toEqual([]);
      expect(request.parameters['commands']?.join('\n')).toContain(`token_of_${instance ?? ''}`);
    }
    expect(world.lines.join('')).toContain('enrolment_sent');
    expect(world.lines.join('')).not.toContain('token_of_');
  });

  it('sends one command for up to fifty where there is no secret in it', async () => {
    const numbers = Array.from({ length: 60 }, (_, index) => index + 1);
    await using world = start(numbers, { settings: { join: 'iam' } });
    await world.pass(30 * SECOND);
    expect(world.ssm.sent.map(({ request }) => request.instances.length)).toEqual([50, 10]);
    expect(JSON.stringify(world.ssm.sent)).not.toContain('token_of_');
  });

  it('begins no more than the cap in a minute, and no more at a time than it may', async () => {
    const numbers = Array.from({ length: 30 }, (_, index) => index + 1);
    await using world = start(numbers, { settings: { cap_per_minute: 4, max_in_flight: 10 } });
    await world.pass(55 * SECOND);
    expect(world.ssm.sent).toHaveLength(4);
    await world.pass(5 * MINUTE);
    expect(world.ssm.sent).toHaveLength(10);
    expect(world.state(30)).toContain('WAITING its turn has not come');
  });

  it('tells why an attempt failed, and tries again later', async () => {
    await using world = start([1]);
    await world.pass(20 * SECOND);
    finish(world, 1, 'failed', 'Failed: disk full\nfailed to run commands: exit status 1');
    await world.pass(20 * SECOND);
    expect(world.state(1)).toBe(
      'FAILED the SSM command ended with Failed: disk full failed to run commands: exit status 1',
    );
    expect(world.auth.records.get(instanceKeyText(keyOf(1)))?.nextAttemptAt).toBeDefined();
    expect(world.ssm.sent).toHaveLength(1);
    await world.pass(3 * MINUTE);
    expect(world.ssm.sent).toHaveLength(2);
    expect(world.auth.records.get(instanceKeyText(keyOf(1)))?.attempts).toBe(2);
  });

  it('gives up on an agent that does not come within ten minutes', async () => {
    await using world = start([1]);
    await world.pass(20 * SECOND);
    finish(world, 1, 'succeeded');
    await world.pass(9 * MINUTE);
    expect(world.state(1)).toContain('PENDING');
    await world.pass(2 * MINUTE);
    expect(world.state(1)).toBe(`FAILED ${REASONS.neverCame}`);
  });

  it('says what stands in the way of those that it cannot try', async () => {
    await using world = start([1, 2, 3], { unmanaged: [3] });
    world.instances.set(1, { state: 'stopped', platform: 'linux' });
    world.instances.set(2, { state: 'running', platform: 'windows' });
    await world.pass(20 * SECOND);
    expect([1, 2, 3].map((number) => world.state(number).split(' ')[0])).toEqual([
      'NOT_RUNNING',
      'UNSUPPORTED',
      'NO_SSM_AGENT',
    ]);
    expect(world.ssm.sent).toEqual([]);
    world.ssm.manage(keyOf(3).instance);
    await world.pass(6 * MINUTE);
    expect(world.ssm.sent.map(({ request }) => request.instances)).toEqual([[keyOf(3).instance]]);
  });

  it('leaves alone what somebody else has, and asks again', async () => {
    const auth = new FakeEnrolments();
    auth.taken.add(instanceKeyText(keyOf(1)));
    await using world = start([1], { auth });
    await world.pass(30 * SECOND);
    expect([world.ssm.sent.length, world.state(1)]).toEqual([0, 'WAITING another attempt has it']);
    expect(auth.records.get(instanceKeyText(keyOf(1)))?.attempts).toBe(0);
    auth.taken.clear();
    await world.pass(2 * MINUTE);
    expect(world.ssm.sent).toHaveLength(1);
  });

  it('counts nothing against instances when SSM refuses their account and region', async () => {
    await using world = start([1, 2]);
    await world.pass(SECOND / 10);
    world.ssm.fail('denied');
    await world.pass(MINUTE);
    for (const number of [1, 2]) {
      expect(world.state(number)).toMatch(/^WAITING .*denied, Scripted/);
      expect(world.auth.records.get(instanceKeyText(keyOf(number)))?.attempts).toBe(0);
    }
    world.ssm.fail(undefined);
    await world.pass(11 * MINUTE);
    expect(world.ssm.sent).toHaveLength(2);
  });

  it('waits out an auth service that is away, with everything', async () => {
    const auth = new FakeEnrolments();
    auth.outage = Code.Unavailable;
    await using world = start([1], { auth });
    await world.pass(5 * MINUTE);
    expect(world.ssm.sent).toEqual([]);
    auth.outage = undefined;
    await world.pass(2 * MINUTE);
    expect(world.ssm.sent).toHaveLength(1);
  });

  it('goes on where the leader before left off', async () => {
    const auth = new FakeEnrolments();
    const record = (number: number, more: object) => {
      auth.records.set(instanceKeyText(keyOf(number)), {
        $typeName: 'tagplane.v1.EnrolmentRecord',
        ...{ instance: instanceToMessage(keyOf(number)), state: EnrolmentState.PENDING, reason: '' },
        ...{ attempts: 3, commandId: '', recordedAt: timestampFromMs(Date.now() - MINUTE) },
        ...more,
      });
    };
    const id = '00000000-0000-4000-8000-000000000001';
    record(1, { reason: REASONS.commanded, commandId: id });
    const nextAttemptAt = timestampFromMs(Date.now() + 10 * MINUTE);
    record(2, { state: EnrolmentState.FAILED, reason: 'exit status 1', nextAttemptAt });
    await using world = start([1, 2], { auth });
    world.ssm.finish(id, { instance: keyOf(1).instance, status: 'succeeded', detail: 'Success' });
    await world.pass(MINUTE);
    expect([world.ssm.sent.length, world.state(2)]).toEqual([0, 'FAILED exit status 1']);
    await world.pass(11 * MINUTE);
    expect(world.ssm.sent.map(({ request }) => request.instances)).toEqual([[keyOf(2).instance]]);
    expect(auth.records.get(instanceKeyText(keyOf(2)))?.attempts).toBe(4);
  });

  it('forgets what is gone, once every scope was scanned', async () => {
    await using world = start([1]);
    world.instances.set(1, { state: 'stopped', platform: 'linux' });
    await world.pass(20 * SECOND);
    expect(world.state(1)).toContain('NOT_RUNNING');
    world.complete = false;
    world.instances.delete(1);
    await world.pass(20 * SECOND);
    expect(world.state(1)).toContain('NOT_RUNNING');
    world.complete = true;
    await world.pass(20 * SECOND);
    expect(world.state(1)).toBe('nothing');
  });
});

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AccessRole } from '@tagplane/access';
import { role } from '../testing/roles.ts';
import { until } from '../testing/test-stores.ts';
import type { RoleSource } from './create-roles.ts';
import { RolePush } from './role-push.ts';
import type { RoleReceiver } from './role-push.ts';
import { RoleSets } from './role-sets.ts';
import type { RoleSet } from './role-sets.ts';

let sets: RoleSets;
let listeners: Set<() => void>;
let stop: AbortController;
let running: Promise<void> | undefined;

beforeEach(() => {
  sets = new RoleSets();
  listeners = new Set();
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort(new Error('the test is over'));
  await running?.catch(() => undefined);
});

function pushing(options: { window?: number; turnMs?: number } = {}): RolePush {
  const roles: RoleSource = {
    get current() {
      return sets.current;
    },
    get: (revision) => sets.get(revision),
    onChange(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => listeners.delete(listener) };
    },
  };
  const push = new RolePush({ roles, ...options });
  running = push.run(stop.signal);
  return push;
}

function write(...roles: readonly AccessRole[]): void {
  sets.take(roles);
  for (const listener of listeners) listener();
}

/** Takes the whole set each time. */
class Receiver implements RoleReceiver {
  readonly told: string[] = [];
  readonly #push: RolePush;

  constructor(push: RolePush) {
    this.#push = push;
    push.ask(this);
  }

  want(set: RoleSet): void {
    this.told.push(set.revision);
    this.#push.update(this, 'r1', set, { kind: 'replace' }, undefined);
  }
}

const revision = (): string => sets.current?.revision ?? '';

describe('telling streams of roles', () => {
  it('waits until it is known which there are, and tells each of the latest', async () => {
    const push = pushing();
    const receivers = Array.from({ length: 100 }, () => new Receiver(push));
    expect(push.length).toBe(100);
    sets.take([role('dev')]);
    write(role('ops'));
    await until(() => push.length === 0, 'all told');
    expect(receivers.map(({ told }) => told)).toEqual(receivers.map(() => [revision()]));
  });

  it('tells a stream once, however often it asks before its turn', async () => {
    const push = pushing();
    const receiver = new Receiver(push);
    push.ask(receiver);
    push.ask(receiver);
    write(role('dev'));
    await until(() => push.length === 0, 'told');
    expect(receiver.told).toEqual([revision()]);
  });

  it('lets others work in between', async () => {
    const push = pushing({ turnMs: 0 });
    const receivers = Array.from({ length: 100 }, () => new Receiver(push));
    const seen: number[] = [];
    const look = setInterval(() => seen.push(push.length), 0);
    write(role('dev'));
    await until(() => push.length === 0, 'all told');
    clearInterval(look);
    expect(seen.some((length) => length > 0 && length < receivers.length)).toBe(true);
  });

  it('has no more bytes on their way than it may', async () => {
    const push = pushing({ window: 1 });
    const receivers = Array.from({ length: 3 }, () => new Receiver(push));
    const told = (): number => receivers.filter((receiver) => receiver.told.length > 0).length;
    write(role('dev'));
    for (const [index, receiver] of receivers.entries()) {
      await until(() => told() === index + 1, 'one more');
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(told()).toBe(index + 1);
      if (index === 0) push.forget(receiver);
      else push.answered(receiver);
    }
  });

  it('forgets a stream that is gone', async () => {
    const push = pushing();
    const [gone, stays] = [new Receiver(push), new Receiver(push)];
    push.forget(gone);
    write(role('dev'));
    await until(() => stays.told.length === 1, 'the other is told');
    expect(gone.told).toEqual([]);
  });
});

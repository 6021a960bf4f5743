import { create } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import { describe, expect, it } from '@jest/globals';
import { waitFor } from '@tagplane/harness';
import { AwsInstanceSchema, NodeService } from '@tagplane/protocol';
import type { LockTarget } from '@tagplane/protocol';
import { SECOND } from '@tagplane/runtime';
import { connectClient } from '../attacker/client.ts';
import { ControlStream, instanceMessage } from '../attacker/control-stream.ts';
import { someInstance } from '../target/samples.ts';
import type { Target } from '../target/target.ts';

type Lockable = Exclude<LockTarget['target'], { case: undefined }>;

/** From the lock to the last byte of a live stream (with room for a loaded machine in the test's own clock). */
const CUT_WITHIN_MS = 5 * SECOND;

export function lockAttacks(target: () => Target): void {
  const instance = someInstance();

  describe('a locked identity', () => {
    it.each<[string, () => Lockable, string]>([
      ['server id', () => ({ case: 'agent', value: 'stolen-1' }), 'stolen-1'],
      [
        'instance',
        () => ({ case: 'instance', value: create(AwsInstanceSchema, instanceMessage(instance)) }),
        'stolen-2',
      ],
      [
        'identity',
        () => ({ case: 'identity', value: `spiffe://${target().cluster}/agent/stolen-3` }),
        'stolen-3',
      ],
    ])(
      'by its %s is cut from its live stream within 5 s, and does not come back',
      async (_by, lock, name) => {
        const certificate = await target().issuer.certify({ role: 'agent', name, instance });
        const dial = target().dial({ certificate });
        using stream = new ControlStream(dial).hello(name);
        await waitFor('it is connected', () => stream.greeted);
        const { lock: made } = await target().operator.locks.addLock({ target: { target: lock() } });
        const lockedAt = performance.now();
        await stream.over();
        expect(performance.now() - lockedAt).toBeLessThan(CUT_WITHIN_MS);
        await target().audit.expect({ code: 'lock.added', actor: target().operator.actor });
        await target().audit.expect({ code: 'lock.enforced', source: dial.source });
        const again = target().dial({ certificate });
        using second = new ControlStream(again).hello(name);
        const outcome = await target().attempt(second.failure());
        expect(outcome.code).not.toBe('ok');
        expect(second.greeted).toBe(false);
        await target().audit.expectOneOf(['connection.refused', 'call.refused'], again.source);
        await target().operator.locks.removeLock({ id: made?.id ?? '' });
        // A lock that was removed locks no more: what was seen before was its doing.
        using third = new ControlStream(target().dial({ certificate })).hello(name);
        await waitFor('it is back', () => third.greeted);
      },
    );

    it('loses its calls as an operator as well', async () => {
      const certificate = await target().issuer.certify({ role: 'operator', name: 'leaver' });
      const dial = target().dial({ certificate });
      using client = connectClient(dial);
      const nodes = createClient(NodeService, client.transport);
      const watch = target().attempt(drain(nodes.watchNodes({}, { timeoutMs: 0 })));
      await nodes.listNodes({});
      const identity = `spiffe://${target().cluster}/operator/leaver`;
      const locked = { target: { target: { case: 'identity', value: identity } as const } };
      const { lock } = await target().operator.locks.addLock(locked);
      expect((await watch).code).not.toBe('ok');
      const outcome = await target().attempt(nodes.listNodes({}));
      expect(outcome.code).not.toBe('ok');
      await target().operator.locks.removeLock({ id: lock?.id ?? '' });
    });
  });
}

async function drain(messages: AsyncIterable<unknown>): Promise<void> {
  for await (const _message of messages);
}

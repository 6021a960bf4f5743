import { describe, expect, it } from '@jest/globals';
import { waitFor } from '@tagplane/harness';
import type { InstanceKey } from '@tagplane/identity';
import { SyncState } from '@tagplane/protocol';
import { ControlStream, instanceMessage } from '../attacker/control-stream.ts';
import type { Target } from '../target/target.ts';
import { someInstance } from '../target/samples.ts';

export function agentAttacks(target: () => Target): void {
  describe('an agent', () => {
    it('that says hello as another server is refused', async () => {
      const { serverId } = target().honest;
      const certificate = await target().issuer.certify({ role: 'agent', name: 'impostor' });
      const dial = target().dial({ certificate });
      using stream = new ControlStream(dial).hello(serverId);
      const outcome = await target().attempt(stream.failure());
      expect(outcome.code).toBe('PermissionDenied');
      expect(stream.labels.size).toBe(0);
      await target().audit.expect({ code: 'agent.refused', source: dial.source, actor: 'agent/impostor' });
    });

    it('that says it runs on another instance is UNMATCHED, and gets no labels', async () => {
      const [own, theirs] = [someInstance(), someInstance()];
      await target().describe(theirs, { role: 'database' });
      await expectUnmatched(target(), { name: 'liar', proven: own, says: theirs });
    });

    it('without a proven instance that says it runs on one is UNMATCHED, and gets no labels', async () => {
      const theirs = someInstance();
      await target().describe(theirs, { role: 'database' });
      await expectUnmatched(target(), { name: 'unproven', proven: undefined, says: theirs });
    });

    it('that says so in a later heartbeat loses the labels it had', async () => {
      const [own, theirs] = [someInstance(), someInstance()];
      await target().describe(own, { role: 'web' });
      await target().describe(theirs, { role: 'database' });
      const certificate = await target().issuer.certify({ role: 'agent', name: 'turncoat', instance: own });
      const dial = target().dial({ certificate });
      using stream = new ControlStream(dial).hello('turncoat', { awsInstance: instanceMessage(own) });
      await waitFor('its own labels', () => stream.labels.get('aws/role') === 'web');
      stream.say({ case: 'heartbeat', value: { awsInstance: instanceMessage(theirs) } });
      await expectMismatch(target(), dial.source, 'turncoat');
      await waitFor('no labels', () => stream.labels.size === 0);
    });

    it('with the certificate of an instance gets the labels of that one only', async () => {
      const own = someInstance();
      await target().describe(own, { role: 'web' });
      const certificate = await target().issuer.certify({ role: 'agent', name: 'honest-too', instance: own });
      // It says nothing of where it runs: its certificate does.
      using stream = new ControlStream(target().dial({ certificate })).hello('honest-too');
      await waitFor('its own labels', () => stream.labels.get('aws/role') === 'web');
      expect(Object.fromEntries(stream.labels)).toEqual({ 'aws/role': 'web' });
    });
  });
}

async function expectUnmatched(
  target: Target,
  agent: { readonly name: string; readonly proven: InstanceKey | undefined; readonly says: InstanceKey },
): Promise<void> {
  const { name, proven, says } = agent;
  const wish = { role: 'agent', name, ...(proven && { instance: proven }) } as const;
  const dial = target.dial({ certificate: await target.issuer.certify(wish) });
  using stream = new ControlStream(dial).hello(name, { awsInstance: instanceMessage(says) });
  await waitFor('the hello is answered', () => stream.greeted);
  await expectMismatch(target, dial.source, name);
  expect(stream.labels.size).toBe(0);
}

async function expectMismatch(target: Target, source: string, name: string): Promise<void> {
  await target.audit.expect({ code: 'agent.instance_mismatch', source, actor: `agent/${name}` });
  await waitFor(`${name} is UNMATCHED`, async () => {
    const { node } = await target.operator.nodes.getNode({ serverId: name });
    return node?.sync?.state === SyncState.UNMATCHED;
  });
}

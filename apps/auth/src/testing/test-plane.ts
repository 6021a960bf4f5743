import { createRegistry, silentLogger } from '@tagplane/runtime';
import type { Registry } from '@tagplane/runtime';
import type { Store } from '@tagplane/store';
import { createControlPlane } from '../control/control-plane.ts';
import type { ControlPlane, ControlPlaneOptions } from '../control/control-plane.ts';
import { decodeNodeRecord } from '../nodes/node-codec.ts';
import type { NodeRecord } from '../nodes/node-record.ts';
import type { TestStores } from './test-stores.ts';

export { metric, overridden, testStores, until, type TestStores } from './test-stores.ts';

export interface TestPlane extends AsyncDisposable {
  readonly plane: ControlPlane;
  readonly registry: Registry;
}

/** One auth process's control plane, running until it is disposed. */
export function testPlane(
  stores: Pick<TestStores, 'serverInfos' | 'nodes'>,
  options: Partial<ControlPlaneOptions> = {},
): TestPlane {
  const registry = createRegistry('auth');
  const { serverInfos, nodes } = stores;
  const plane = createControlPlane({
    authId: 'auth-1',
    serverInfos,
    nodes,
    registry,
    log: silentLogger(),
    ...options,
  });
  const stop = new AbortController();
  const running = plane.run(stop.signal);
  return {
    plane,
    registry,
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the test is over'));
      await running;
    },
  };
}

export async function nodeRecord(store: Store, serverId: string): Promise<NodeRecord | undefined> {
  const [found] = await store.getMany([serverId], { signal: new AbortController().signal });
  return found?.state === 'live' ? decodeNodeRecord(found) : undefined;
}

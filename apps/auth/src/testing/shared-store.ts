import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Store } from '@tagplane/store';
import { openEmbeddedStore } from '@tagplane/store-embedded';
import { connectRedis, createRedisStore } from '@tagplane/store-redis';
import { startRedis } from '@tagplane/store-redis/testing';

export const STORE_TYPES = ['embedded', 'redis'] as const;

/** Two stores on the same data, as two auth processes have them. */
export interface SharedStore extends AsyncDisposable {
  readonly both: readonly [Store, Store];
  /** Of the same data, of another kind. */
  open(kind: string): Store;
}

export async function openSharedStore(type: (typeof STORE_TYPES)[number]): Promise<SharedStore> {
  const stack = new AsyncDisposableStack();
  const open = type === 'redis' ? await redisOpener(stack) : await embeddedOpener(stack);
  const opened = (kind: string): Store => stack.use(open(kind));
  return {
    both: [opened('server-info'), opened('server-info')],
    open: opened,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

type Opener = (kind: string) => Store & AsyncDisposable;

async function redisOpener(stack: AsyncDisposableStack): Promise<Opener> {
  const server = await startRedis();
  stack.defer(() => server.stop());
  const connection = stack.use(connectRedis(server.url));
  return (kind) => createRedisStore(connection, { kind });
}

async function embeddedOpener(stack: AsyncDisposableStack): Promise<Opener> {
  const folder = await mkdtemp(join(tmpdir(), 'tagplane-auth-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  return (kind) => openEmbeddedStore({ path: join(folder, 'store.db'), kind });
}

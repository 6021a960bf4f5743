import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Store } from '@tagplane/store';
import { storeContract } from '@tagplane/store/testing';
import type { StoreHarness } from '@tagplane/store/testing';
import { openEmbeddedStore } from './embedded-store.ts';

async function makeHarness(): Promise<StoreHarness> {
  const dir = await mkdtemp(join(tmpdir(), 'tagplane-store-'));
  const open = new Set<Store & AsyncDisposable>();
  const empty = async (): Promise<void> => {
    for (const store of open) await store[Symbol.asyncDispose]();
    open.clear();
    await rm(dir, { recursive: true, force: true });
  };
  return {
    open(options) {
      const store = openEmbeddedStore({ path: join(dir, 'store.db'), kind: 'test', ...options });
      open.add(store);
      return Promise.resolve(store);
    },
    empty: async () => {
      await empty();
      await mkdir(dir);
    },
    [Symbol.asyncDispose]: empty,
  };
}

storeContract('embedded', makeHarness);

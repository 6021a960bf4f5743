import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { bootstrapCluster } from './bootstrap.ts';
import { connectOperator } from './operator.ts';
import { freePort } from './ports.ts';
import { startService, waitUntilReady } from './programs.ts';
import { runTagctl, tagctlEnv } from './tagctl.ts';

// Processes start in seconds; a busy machine may take ten times that.
jest.setTimeout(180_000);

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'harness-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe('bootstrapCluster', () => {
  it('gives an operator whom the auth service then takes', async () => {
    const settings = { STORE_TYPE: 'embedded', STORE_PATH: join(folder, 'store.db') };
    const cluster = await bootstrapCluster({ folder, settings });
    expect(cluster.credentials).toMatchObject({ role: 'operator', name: 'harness' });
    expect((await stat(cluster.keyFile)).mode & 0o777).toBe(0o600);
    const [port, diagnostics] = [await freePort(), await freePort()];
    await using auth = await startService('auth', 'auth', {
      ...cluster.authSettings,
      LISTEN: `127.0.0.1:${port}`,
      DIAGNOSTICS: `127.0.0.1:${diagnostics}`,
    });
    await waitUntilReady(auth, diagnostics);
    using operator = connectOperator({ port, credentials: cluster.credentials });
    expect(await operator.listNodes()).toEqual([]);
    const env = tagctlEnv({ port, credentialFile: cluster.credentialFile });
    const { code, stdout } = await runTagctl(['ca', 'status', '--format', 'json'], env);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ phase: 'STABLE', authorities: [{ pin: cluster.caPin }] });
  });

  it('says what the program said when it fails', async () => {
    const settings = { STORE_TYPE: 'redis' };
    await expect(bootstrapCluster({ folder, settings })).rejects.toThrow(/store\.url/);
  });
});

import { execFile } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { connectOperator, waitFor } from '@tagplane/harness';
import { putDemoRole } from './login.ts';
import type { Stack } from './stack.ts';
import { startStack } from './stack.ts';
import { tryNext } from './try-next.ts';

// Processes start in seconds; a busy machine may take ten times that.
jest.setTimeout(180_000);

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

describe('the stack', () => {
  let stack: Stack;

  beforeAll(async () => {
    stack = await startStack(new AbortController().signal);
  });
  afterAll(async () => {
    await stack[Symbol.asyncDispose]();
  });

  it('has joined by certificates only: each agent on the instance that its token names', async () => {
    const { authPort: port, cluster, places } = stack;
    using operator = connectOperator({ port, credentials: cluster.credentials });
    const joins = await waitFor('all have joined', async () => {
      const all = await operator.listJoins();
      return all.length === places.length + 1 && all;
    });
    const instances = joins.map(({ awsInstance }) => awsInstance?.instanceId ?? 'discovery');
    expect(instances.toSorted()).toEqual([...places.map(({ instance }) => instance), 'discovery'].toSorted());
    expect((await operator.listTokens()).filter(({ usesLeft }) => usesLeft > 0)).toEqual([]);
    using stranger = connectOperator(port);
    await expect(stranger.status.getStatus({})).rejects.toThrow();
  });

  it('lets tagctl in from another terminal, by the lines it prints, once it has shown what it shows', async () => {
    await letLoginIn(stack);
    const lines = tryNext(stack)
      .split('\n')
      .filter((line) => /^ {2}(export|npx)/.test(line) && !line.includes('watch'));
    const script = ['set -e', ...lines].join('\n');
    const { stdout } = await promisify(execFile)('sh', ['-c', script], {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], XDG_CONFIG_HOME: '/nonexistent' },
    });
    expect(lines.length).toBeGreaterThan(4);
    expect(stdout).toMatch(/^demo-1 /m);
  });

  it('keeps what is secret for its owner', async () => {
    const { credentialFile } = stack.cluster;
    const folder = dirname(credentialFile);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(credentialFile)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toContain('discovery');
  });
});

/** As the demo does before it prints the lines. */
async function letLoginIn({ authPort: port, cluster, ec2, places, socket }: Stack): Promise<void> {
  using operator = connectOperator({ port, credentials: cluster.credentials });
  const key = 'demo-changed-at';
  const login = await putDemoRole(operator, { socket, key }, new AbortController().signal);
  const [{ region, instance: id }] = places;
  ec2.fleet.changeTags({ region, id }, { set: new Map([[key, 'now']]) });
  await waitFor('the login is allowed', async () => (await login.ask()) === 'allowed', {
    timeoutMs: 120_000,
  });
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { readCredentialFile } from '@tagplane/credentials';
import { TestAuthority } from '@tagplane/protocol/testing';
import { FakeAuth, serveAuth } from './testing/fake-auth.ts';
import type { TlsWorld } from './testing/tls.ts';
import { createTlsWorld } from './testing/tls.ts';

// A process starts in a second; a busy machine may take ten times that.
jest.setTimeout(60_000);

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
let world: TlsWorld;

beforeAll(async () => {
  world = await createTlsWorld();
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

async function start(...args: string[]) {
  const env = { PATH: process.env['PATH'], HOME: world.home, TAGPLANE_ADDRESS: world.served.address };
  const child = spawn(process.execPath, ['--conditions=@tagplane/source', MAIN, ...args], { env });
  const [closed, stdout, stderr] = await Promise.all([
    once(child, 'close'),
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code: closed[0] as unknown, stdout, stderr };
}

describe('the process over mutual TLS', () => {
  it('without credentials exits 2, and says what to do', async () => {
    const { code, stdout, stderr } = await start('status');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^tagctl: no credentials in [^\n]*tagctl login[^\n]*\n$/);
  });

  it('renews by any number of processes at once, and the file stays whole', async () => {
    await world.store(await world.operator({ ageMs: 9 * 3_600_000 }));
    const ends = await Promise.all(Array.from({ length: 4 }, () => start('nodes', 'ls', '--format', 'json')));
    expect(ends).toEqual(ends.map(() => ({ code: 0, stdout: '[]\n', stderr: '' })));
    const kept = await readCredentialFile(world.file);
    expect(kept?.name).toBe('alice');
    expect((kept?.receivedAt ?? 0) > Date.now() - 60_000).toBe(true);
  });

  it('logs in by a token, and is done at once', async () => {
    const begin = performance.now();
    const args = ['login', '--token', world.issuer.token.secret, '--ca-pin', world.authority.pin];
    const { code, stdout } = await start(...args);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^who +operator joined\n/);
    // Not a matter of speed: a deadline that outlives its call keeps the process for half a minute.
    expect(performance.now() - begin).toBeLessThan(25_000);
  });

  it('does not speak to an auth service of another cluster', async () => {
    const other = await TestAuthority.create();
    const file = await world.store(await other.credentials({ role: 'operator', name: 'a' }), 'other.json');
    const { code, stderr } = await start('status', '--identity', file);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `tagctl: ${world.served.address}: the auth service's certificate is not one of this cluster; give another with --address or TAGPLANE_ADDRESS\n`,
    );
  });

  it('does not speak to one without TLS', async () => {
    await using plain = await serveAuth(new FakeAuth());
    const { code, stderr } = await start('status', '--address', plain.address);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /: the other side does not speak TLS: .*--insecure speaks without TLS, on loopback\)\n$/,
    );
  });

  it('does not speak without TLS to one with it', async () => {
    const { code, stderr } = await start('status', '--insecure');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^tagctl: cannot reach .*; if it wants TLS, leave --insecure out; otherwise/);
  });
});

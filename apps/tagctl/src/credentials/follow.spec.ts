import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Code, ConnectError } from '@connectrpc/connect';
import { readCredentialFile } from '@tagplane/credentials';
import { TestAuthority } from '@tagplane/protocol/testing';
import type { TlsWorld } from '../testing/tls.ts';
import { createTlsWorld } from '../testing/tls.ts';

// Generous: handshakes on a busy machine.
jest.setTimeout(60_000);

const HOUR = 3_600_000;
let world: TlsWorld;

beforeEach(async () => {
  world = await createTlsWorld();
});

afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

describe('a command over mutual TLS', () => {
  it('is who its certificate says, whatever else is said', async () => {
    await world.store(await world.operator());
    expect(await world.tagctl('status', '--name', 'eve', '--format', 'json')).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect(world.auth.peers).toEqual(['operator/alice']);
    expect(world.issuer.renewals).toBe(0);
  });

  it('renews what is past two thirds of its life, first', async () => {
    const old = await world.operator({ ageMs: 9 * HOUR });
    await world.store(old);
    expect(await world.tagctl('status')).toMatchObject({ code: 0, stderr: '' });
    expect(world.issuer.renewals).toBe(1);
    const kept = await readCredentialFile(world.file);
    expect(kept).toMatchObject({ id: old.id });
    expect(kept?.certificates[0]).not.toBe(old.certificates[0]);
    expect(await world.tagctl('status')).toMatchObject({ code: 0, stderr: '' });
    expect(world.issuer.renewals).toBe(1);
  });

  it('only warns when it cannot renew', async () => {
    const old = await world.operator({ ageMs: 9 * HOUR });
    await world.store(old);
    world.issuer.refusal = new ConnectError('not now', Code.Unavailable);
    const { code, stderr } = await world.tagctl('status');
    expect(code).toBe(0);
    expect(stderr).toMatch(/^tagctl: warning: the credentials could not be renewed: .*not now\n$/);
    expect(await readCredentialFile(world.file)).toEqual(old);
  });

  it('renews the file it was pointed to', async () => {
    const file = await world.store(await world.operator({ ageMs: 9 * HOUR }), 'mine.json');
    expect(await world.tagctl('--identity', file, 'status')).toMatchObject({ code: 0 });
    expect(await readCredentialFile(file)).toMatchObject({ name: 'alice' });
    expect(world.issuer.renewals).toBe(1);
    expect(await readCredentialFile(world.file)).toBeUndefined();
  });

  it('takes up which authorities to trust, and renews when it is asked to', async () => {
    const before = await world.operator();
    await world.store(before);
    const next = await TestAuthority.create();
    world.issuer.generation = 2n;
    world.issuer.others = [next.certificate];
    expect(await world.tagctl('status')).toMatchObject({ code: 0, stderr: '' });
    const followed = await readCredentialFile(world.file);
    expect(followed?.trust).toMatchObject({ generation: 2 });
    expect(followed?.trust.authorities).toHaveLength(2);
    expect(followed?.certificates).toEqual(before.certificates);
    world.issuer.renew = true;
    expect(await world.tagctl('status')).toMatchObject({ code: 0, stderr: '' });
    expect(world.issuer.held).toEqual([1n, 2n]);
    const renewed = await readCredentialFile(world.file);
    expect(renewed?.certificates[0]).not.toBe(before.certificates[0]);
  });

  it('lets ca rotate follow itself between the steps', async () => {
    await world.store(await world.operator());
    world.auth.ca.blocked = ['', 'operator/alice does not trust it yet'];
    world.issuer.generation = 2n;
    expect(await world.tagctl('ca', 'rotate')).toMatchObject({ code: 0 });
    expect(world.issuer.held).toContain(2n);
    expect(await world.tagctl('whoami', '--format', 'json')).toMatchObject({
      stdout: expect.stringContaining('"trust_generation": 2'),
    });
  });
});

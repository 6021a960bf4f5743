import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Credentials } from '@tagplane/credentials';
import { readCredentialFile, writeCredentialFile } from '@tagplane/credentials';
import { TestAuthority } from '@tagplane/protocol/testing';
import { CredentialStore, readCredentials, writeCredentials } from './credential-store.ts';

let folder: string;
let file: string;
let authority: TestAuthority;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tagctl-credentials-'));
  file = join(folder, 'deep', 'credentials.json');
  authority = await TestAuthority.create();
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

const operator = (name = 'alice'): Promise<Credentials> => authority.credentials({ role: 'operator', name });

describe('a credential store', () => {
  it('keeps what it is given, for its owner only', async () => {
    const [first, next] = [await operator(), await operator()];
    await writeCredentials(file, first);
    const store = await CredentialStore.open(file, Date.now());
    expect(store.current()).toEqual(first);
    await store.replace(next);
    expect(store.current()).toEqual(next);
    expect(await readCredentialFile(file)).toEqual(next);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(folder, 'deep'))).toEqual(['credentials.json']);
  });

  it('keeps the last of several that come at once, and what comes after them', async () => {
    const [first, second, third, last] = [
      await operator(),
      await operator(),
      await operator(),
      await operator(),
    ];
    await writeCredentials(file, first);
    const store = await CredentialStore.open(file, Date.now());
    await Promise.all([store.replace(second), store.replace(third)]);
    expect(await readCredentialFile(file)).toEqual(third);
    await store.replace(last);
    expect(await readCredentialFile(file)).toEqual(last);
  });

  it('leaves alone what another process has put there meanwhile, and what it has removed', async () => {
    const [first, ours, theirs] = [await operator(), await operator(), await operator('bob')];
    await writeCredentials(file, first);
    const store = await CredentialStore.open(file, Date.now());
    await writeCredentials(file, theirs);
    await store.replace(ours);
    expect(store.current()).toEqual(ours);
    expect(await readCredentialFile(file)).toEqual(theirs);
    await rm(file);
    await store.replace(first);
    expect(await readCredentialFile(file)).toBeUndefined();
  });

  it('goes back to no older trust', async () => {
    const first = await operator();
    await writeCredentials(file, first);
    const store = await CredentialStore.open(file, Date.now());
    const newer = { ...first, trust: { ...first.trust, generation: 9 } };
    await writeCredentials(file, newer);
    await store.replace({ ...first, trust: { ...first.trust, generation: 8 } });
    expect(await readCredentialFile(file)).toEqual(newer);
  });

  it('is whole whoever writes at the same time', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, (_, index) => operator(`op-${index}`)));
    await Promise.all(all.map((credentials) => writeCredentials(file, credentials)));
    expect(all).toContainEqual(await readCredentialFile(file));
    expect(await readdir(join(folder, 'deep'))).toEqual(['credentials.json']);
  });
});

describe('opening', () => {
  const problem = (now = Date.now()) =>
    CredentialStore.open(file, now).then(
      () => undefined,
      (error: unknown) => error,
    );

  it('nothing says how to log in', async () => {
    expect(await problem()).toMatchObject({
      exitCode: 2,
      message: `no credentials in ${file}: run 'tagctl login --identity FILE', or 'tagctl login --token-file FILE --ca-pin PIN'`,
    });
  });

  it('what has expired says since when, and how to get anew', async () => {
    const credentials = await operator();
    await writeCredentials(file, credentials);
    expect(await problem(credentials.validUntil + 90 * 60_000)).toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(
        /operator alice in .* expired 1h30m ago .*tokens add --role operator --name alice/,
      ),
    });
  });

  it('what others may read, or what holds something else, names the file and quotes nothing', async () => {
    await writeCredentialFile(file, await operator());
    await chmod(file, 0o644);
    expect(await problem()).toMatchObject({ exitCode: 2, message: expect.stringContaining('chmod 600') });
    await writeFile(file, 'very secret');
    await chmod(file, 0o600);
    const broken = await problem();
    expect(broken).toMatchObject({ exitCode: 2, message: expect.stringContaining(file) });
    expect(String(broken)).not.toContain('very secret');
    await expect(readCredentials(folder)).rejects.toMatchObject({ exitCode: 2 });
  });
});

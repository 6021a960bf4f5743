import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  CredentialFileError,
  decodeCredentials,
  encodeCredentials,
  readCredentialFile,
  writeCredentialFile,
} from './credential-file.ts';
import type { Credentials } from './credentials.ts';
import { credentialsFromIssued } from './issued.ts';
import { createTestAuthority } from './testing/test-authority.ts';
import type { TestAuthority } from './testing/test-authority.ts';

const INSTANCE_NAME = 'i-0123456789abcdef0.eu-central-1.123456789012.instance.tagplane.internal';

let authority: TestAuthority;
let credentials: Credentials;
let directory: string;
let path: string;

async function issue(dns?: string): Promise<Credentials> {
  const parts = await authority.issue(dns === undefined ? {} : { dns });
  return credentialsFromIssued({ ...parts, cluster: 'test', now: 1_800_000_000_123 });
}

beforeAll(async () => {
  authority = await createTestAuthority();
  credentials = await issue(INSTANCE_NAME);
});

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'credentials-'));
  path = join(directory, 'credentials.json');
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

function changed(change: (document: Record<string, unknown>) => void): string {
  const document = JSON.parse(encodeCredentials(credentials)) as Record<string, unknown>;
  change(document);
  return JSON.stringify(document);
}

describe('the document', () => {
  it('gives back what was written, with an instance and without', async () => {
    for (const each of [credentials, await issue()]) {
      expect(decodeCredentials(encodeCredentials(each))).toEqual(each);
    }
  });

  it('says in words who and until when', () => {
    expect(JSON.parse(encodeCredentials(credentials))).toMatchObject({
      version: 1,
      id: 'spiffe://test/agent/web-1',
      role: 'agent',
      name: 'web-1',
      instance: { account: '123456789012', region: 'eu-central-1', instance: 'i-0123456789abcdef0' },
      trust: { cluster: 'test', generation: 1 },
      received_at: '2027-01-15T08:00:00.123Z',
    });
  });

  it('believes the certificate, not the words beside it', () => {
    const text = changed((document) => {
      document['role'] = 'operator';
      document['id'] = 'spiffe://test/operator/root';
      document['valid_until'] = '2099-01-01T00:00:00.000Z';
      delete document['instance'];
    });
    expect(decodeCredentials(text)).toEqual(credentials);
  });

  it.each<[string, (document: Record<string, unknown>) => void, RegExp]>([
    ['another version', (document) => (document['version'] = 2), /unexpected at version/],
    ['no key', (document) => delete document['private_key'], /unexpected at private_key/],
    ['a broken key', (document) => (document['private_key'] = 'x'), /not a private key/],
    ['no certificate', (document) => (document['certificates'] = []), /unexpected at certificates/],
    ['a broken certificate', (document) => (document['certificates'] = ['x']), /not a certificate/],
    ['no time of receipt', (document) => (document['received_at'] = 'now'), /unexpected at received_at/],
    [
      'another cluster',
      (document) => ((document['trust'] as Record<string, unknown>)['cluster'] = 'other'),
      /of another cluster/,
    ],
  ])('is refused with %s', (_, change, message) => {
    expect(() => decodeCredentials(changed(change))).toThrow(message);
  });

  it('quotes nothing of a text that is none', () => {
    expect(() => decodeCredentials('{"private_key": "SECRET"')).toThrow(/^not JSON$/);
  });
});

describe('the file', () => {
  it('is its owner only, and read back as it was', async () => {
    expect(await readCredentialFile(path)).toBeUndefined();
    await writeCredentialFile(path, credentials);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readCredentialFile(path)).toEqual(credentials);
  });

  async function problem(): Promise<CredentialFileError> {
    const error = await readCredentialFile(path).catch((thrown: unknown) => thrown);
    if (!(error instanceof CredentialFileError)) throw new Error('it was read', { cause: error });
    return error;
  }

  it('is not used when others may read it', async () => {
    await writeCredentialFile(path, credentials);
    await chmod(path, 0o644);
    expect(await problem()).toMatchObject({
      kind: 'exposed',
      path,
      message: expect.stringMatching(/chmod 600/),
    });
  });

  it('is broken when it was cut short, or is far too long, and its content is in no message', async () => {
    await writeCredentialFile(path, credentials);
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.slice(0, 300));
    const cut = await problem();
    expect(cut).toMatchObject({ kind: 'broken', message: `${path} holds no credentials: not JSON` });
    await writeFile(path, text.padEnd(300_000));
    expect(await problem()).toMatchObject({ kind: 'unreadable', message: expect.stringMatching(/bytes/) });
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Credentials } from '@tagplane/credentials';
import { writeCredentialFile } from '@tagplane/credentials';
import { TestAuthority } from '@tagplane/protocol/testing';
import { run } from './capture.ts';
import type { ServedAuth } from './fake-auth.ts';
import { FakeAuth, serveAuth } from './fake-auth.ts';
import { FakeIssuer } from './fake-issuer.ts';

/** A fake auth service over mutual TLS, and a home for an operator. */
export interface TlsWorld extends AsyncDisposable {
  readonly authority: TestAuthority;
  readonly issuer: FakeIssuer;
  readonly auth: FakeAuth;
  readonly served: ServedAuth;
  readonly home: string;
  /** Where login puts credentials. */
  readonly file: string;
  /** Good ones, dated by the options. */
  operator(options?: { readonly ageMs?: number; readonly name?: string }): Promise<Credentials>;
  /** Writes credentials into a file of the home; returns its path. */
  store(credentials: Credentials, name?: string): Promise<string>;
  tagctl(...args: string[]): ReturnType<typeof run>;
}

const LIFE_MS = 12 * 3_600_000;

export async function createTlsWorld(): Promise<TlsWorld> {
  const authority = await TestAuthority.create();
  const issuer = new FakeIssuer(authority);
  const auth = new FakeAuth(issuer);
  const served = await serveAuth(auth);
  const home = await mkdtemp(join(tmpdir(), 'tagctl-tls-'));
  const file = join(home, '.config', 'tagplane', 'credentials.json');
  return {
    authority,
    issuer,
    auth,
    served,
    home,
    file,
    async operator({ ageMs = 0, name = 'alice' } = {}) {
      const receivedAt = Date.now() - ageMs;
      const credentials = await authority.credentials({
        role: 'operator',
        name,
        validFrom: new Date(receivedAt - 15 * 60_000),
        validUntil: new Date(receivedAt + LIFE_MS),
      });
      return { ...credentials, receivedAt };
    },
    async store(credentials, name) {
      const path = name === undefined ? file : join(home, name);
      await writeCredentialFile(path, credentials);
      return path;
    },
    tagctl: (...args) =>
      run(args, {
        homeDir: home,
        now: Date.now(),
        env: { TAGPLANE_INSECURE: 'false', TAGPLANE_ADDRESS: served.address },
      }),
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]();
      await rm(home, { recursive: true });
    },
  };
}

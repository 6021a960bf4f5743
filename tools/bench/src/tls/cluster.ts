import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrapCluster } from '@tagplane/harness';
import { publicKeyPin } from '@tagplane/identity';
import { openSecret } from '@tagplane/pki';
import type { AuthorityKeys } from '@tagplane/pki';
import { startRedis } from '@tagplane/store-redis/testing';
import type { AuthServer } from '../servers.ts';
import { startAuth } from '../servers.ts';
import { makeFleet } from './fleet.ts';

/** What the auth service keeps beside its key file, as far as it is needed here. */
interface AuthorityCopy {
  readonly cluster: string;
  readonly authority: { readonly certificate: string; readonly sealed_key: string };
}

/** A cluster with its authority, whose agents have their certificates without having joined. */
export interface TlsCluster extends AsyncDisposable {
  /** For `readFleet`. */
  readonly fleetFile: string;
  /** An auth service of this cluster on an empty Redis: it puts the authority back there. */
  startAuth(redisUrl: string): Promise<AuthServer>;
}

export async function createTlsCluster(agents: number): Promise<TlsCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'tagplane-bench-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const keyFile = await bootstrap(folder);
    const fleetFile = join(folder, 'fleet.json');
    const fleet = await makeFleet({ ...(await openAuthority(keyFile)), agents });
    await writeFile(fleetFile, JSON.stringify(fleet), { mode: 0o600 });
    return {
      fleetFile,
      startAuth: (redisUrl) =>
        startAuth(redisUrl, {
          TLS_MODE: 'mutual',
          CA_KEY_FILE: keyFile,
          // All of them come from one address, and at once.
          LIMITS_HANDSHAKES_PER_SECOND: '100000',
          LIMITS_HANDSHAKES_PER_ADDRESS: '100000',
        }),
      [Symbol.asyncDispose]: remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function bootstrap(folder: string): Promise<string> {
  await using redis = await startRedis();
  const settings = { STORE_TYPE: 'redis', STORE_URL: redis.url };
  return (await bootstrapCluster({ folder, settings })).keyFile;
}

/** Joining thousands of agents would take longer than all that is measured here. */
async function openAuthority(keyFile: string): Promise<{ cluster: string; authority: AuthorityKeys }> {
  const key = Buffer.from(await readFile(keyFile, 'utf8'), 'base64');
  const copy = JSON.parse(await readFile(`${keyFile}.authority`, 'utf8')) as AuthorityCopy;
  const { certificate, sealed_key: sealed } = copy.authority;
  const context = `ca/${copy.cluster}/${publicKeyPin(new X509Certificate(certificate))}`;
  return {
    cluster: copy.cluster,
    authority: { certificate, privateKey: openSecret(sealed, key, context) },
  };
}

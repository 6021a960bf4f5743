import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import type { Credentials } from '@tagplane/credentials';
import { publicKeyPin } from '@tagplane/identity';
import { readCredentials } from './operator.ts';
import type { Settings } from './programs.ts';
import { sourceArgs, variables } from './programs.ts';
import { runNode } from './run-program.ts';

/** A cluster with its authority, and its first operator. */
export interface Cluster {
  /** The operator's, for tagctl. */
  readonly credentialFile: string;
  /** The same, for `connectOperator`. */
  readonly credentials: Credentials;
  readonly caPin: string;
  /** Seals the authority in the store. A secret. */
  readonly keyFile: string;
  /** What each auth process of the cluster is to be started with, beside its own addresses. */
  readonly authSettings: Settings;
}

/**
 * Makes the authority and the first operator, as one does on the auth host, by `tagplane-auth bootstrap`.
 *
 * @param options.folder where the key and the credentials are put; the owner removes it
 * @param options.settings of the auth service: its store above all
 * @throws Error with what the program said, when it fails
 */
export async function bootstrapCluster(options: {
  readonly folder: string;
  readonly settings: Settings;
  /** Of the operator; default `harness`. */
  readonly name?: string;
}): Promise<Cluster> {
  const { folder, settings, name = 'harness' } = options;
  const keyFile = join(folder, 'ca.key');
  const credentialFile = join(folder, `${name}.json`);
  const authSettings = { CA_KEY_FILE: keyFile, ...settings };
  const args = sourceArgs('auth', ['bootstrap', '--name', name, '--out', credentialFile]);
  const { code, stdout, stderr } = await runNode(args, { env: variables(authSettings) });
  if (code !== 0) throw new Error(`tagplane-auth bootstrap ended with ${code}:\n${stdout}${stderr}`);
  const credentials = await readCredentials(credentialFile);
  const [authority = ''] = credentials.trust.authorities;
  return {
    credentialFile,
    credentials,
    caPin: publicKeyPin(new X509Certificate(authority)),
    keyFile,
    authSettings,
  };
}

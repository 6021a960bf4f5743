import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun } from '../pack/run.ts';
import { ANYWHERE } from './anywhere.ts';

/** What a certificate says. */
export interface CertificateParts {
  readonly principals: readonly string[];
  readonly traits?: Readonly<Record<string, readonly string[]>>;
  readonly keyId?: string;
  /** As ssh-keygen's `-V`; default: for an hour. */
  readonly validity?: string;
}

/** What a client shows. */
export interface Identity {
  readonly keyFile: string;
  /** Undefined: the key alone. */
  readonly certificateFile: string | undefined;
}

/** Who issues certificates for users: ssh-keygen with a key. */
export interface UserCa {
  /** For TrustedUserCAKeys. */
  readonly publicKeyFile: string;
  /** A key of its own for each, and what it is certified to be. */
  certify(parts: CertificateParts): Promise<Identity>;
}

export async function createUserCa(folder: string, name: string): Promise<UserCa> {
  const keyFile = join(folder, name);
  await makeKey(keyFile);
  let count = 0;
  return {
    publicKeyFile: `${keyFile}.pub`,
    async certify(parts) {
      count += 1;
      const user = join(folder, `${name}-user-${count}`);
      await makeKey(user);
      await mustRun('ssh-keygen', [...certificateArgs(keyFile, parts, count), `${user}.pub`], ANYWHERE);
      // A client looks for certificates beside the key too: under another name it is shown only when asked for.
      const certificateFile = join(folder, `${name}-certificate-${count}.pub`);
      await copyFile(`${user}-cert.pub`, certificateFile);
      return { keyFile: user, certificateFile };
    },
  };
}

export async function makeKey(file: string): Promise<void> {
  await mustRun('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', file], ANYWHERE);
}

function certificateArgs(ca: string, parts: CertificateParts, serial: number): string[] {
  const { principals, traits, keyId = 'alice', validity = '-5m:+1h' } = parts;
  return [
    ...['-q', '-s', ca, '-I', keyId, '-z', String(serial), '-V', validity],
    ...(principals.length === 0 ? [] : ['-n', principals.join(',')]),
    ...(traits === undefined ? [] : ['-O', `extension:traits@tagplane=${JSON.stringify(traits)}`]),
  ];
}

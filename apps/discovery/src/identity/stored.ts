import { join } from 'node:path';
import { CredentialFileError, readCredentialFile, writeCredentialFile } from '@tagplane/credentials';
import type { Credentials } from '@tagplane/credentials';
import type { Logger } from '@tagplane/runtime';
import { ConfigError, setAside } from '@tagplane/runtime';

/** Where a discovery's credentials outlive it. */
export interface StoredCredentials {
  /**
   * Undefined for none that can be used; those are moved out of the way.
   *
   * @throws ConfigError naming `data_dir` when others may read them
   */
  read(): Promise<Credentials | undefined>;
  write(credentials: Credentials): Promise<void>;
}

export function storedCredentials(directory: string, log: Logger): StoredCredentials {
  const path = join(directory, 'credentials.json');
  const putAside = async (reason: string): Promise<void> => {
    const moved_to = await setAside(path).catch(() => undefined);
    log.error({ event: 'credentials_set_aside', path, reason, moved_to });
  };
  return {
    async read() {
      let credentials: Credentials | undefined;
      try {
        credentials = await readCredentialFile(path);
      } catch (error) {
        if (!(error instanceof CredentialFileError)) throw error;
        if (error.kind !== 'broken') throw new ConfigError(`data_dir: ${error.message}`, { cause: error });
        await putAside(error.message);
        return undefined;
      }
      if (credentials === undefined || credentials.role === 'discovery') return credentials;
      await putAside(`they are of ${credentials.id}, no discovery`);
      return undefined;
    },
    write: (credentials) => writeCredentialFile(path, credentials),
  };
}

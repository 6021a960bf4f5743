import { errorMessage, readIfThere, writeAtomically } from '@tagplane/runtime';
import type { Logger } from '@tagplane/runtime';
import type { CaRecord } from './ca-record.ts';
import { decodeCaRecord, encodeCaRecord } from './ca-record.ts';

/**
 * A copy of the authority's record outside the store, sealed as it is there: an emptied store must not
 * become a new authority that no agent knows.
 */
export interface CaCopy {
  /** Undefined: there is none. Rejects for one that cannot be read: making an authority would be wrong then. */
  read(): Promise<CaRecord | undefined>;
  /** Never rejects; the store has the record as well. */
  write(record: CaRecord): Promise<void>;
}

/** Where there is nowhere to keep one. */
export const NO_COPY: CaCopy = {
  read: () => Promise.resolve(undefined),
  write: () => Promise.resolve(),
};

/** The copy beside the key file, for its owner only; `undefined`: the key is in no file. */
export function caCopy(keyFile: string | undefined, log: Logger): CaCopy {
  if (keyFile === undefined) return NO_COPY;
  const path = `${keyFile}.authority`;
  let last: string | undefined;
  // One after the other, so that the newest stays.
  let writing = Promise.resolve();
  return {
    async read() {
      const text = await readIfThere(path, { ownerOnly: true });
      return text === undefined ? undefined : decodeCaRecord(text);
    },
    write(record) {
      const text = encodeCaRecord(record);
      if (text === last) return writing;
      last = text;
      writing = writing
        .then(() => writeAtomically(path, text))
        .catch((error: unknown) => {
          log.warn({ event: 'ca_copy_failed', path, reason: errorMessage(error) });
        });
      return writing;
    },
  };
}

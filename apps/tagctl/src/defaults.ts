import type { Address } from '@tagplane/runtime';
import { SECOND } from '@tagplane/runtime';

export const DEFAULT_ADDRESS: Address = { host: '127.0.0.1', port: 7420 };
/** A call that lists a page takes milliseconds; ten seconds also outlast an auth service's restart. */
export const DEFAULT_TIMEOUT_MS = 10 * SECOND;

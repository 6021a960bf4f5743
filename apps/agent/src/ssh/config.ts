import * as z from 'zod';
import { DEFAULT_SSH_SOCKET } from './paths.ts';

/** Where the agent answers for sshd, and to whom. */
export interface SshConfig {
  readonly socket: string;
  /** Name or number of the only group that may ask; undefined: everybody on this machine may. */
  readonly group?: string | undefined;
}

/** `sun_path` of a Unix socket address, less its closing zero. */
const MAX_SOCKET_PATH_BYTES = 107;

export const sshField: z.ZodType<SshConfig> = z.strictObject({
  socket: z
    .string()
    .regex(/^\//, 'expected an absolute path')
    .refine(
      (path) => Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES,
      'too long for a Unix socket (107 bytes)',
    )
    .default(DEFAULT_SSH_SOCKET)
    .describe(
      'A Unix socket that answers for logins alone, for the user that sshd asks as; none without ssh.',
    ),
  group: z
    .string()
    .min(1)
    .optional()
    .describe('The only group that may use it, by name or number; otherwise everybody on this machine may.'),
});

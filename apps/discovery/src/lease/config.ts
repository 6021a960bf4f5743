import { parsePeerClaim } from '@tagplane/identity';
import { z } from 'zod';

/** `group` of discovery.yaml. */
export const groupField = z
  .string()
  .refine((group) => parsePeerClaim(`discovery/${group}`) !== undefined, {
    message: 'expected 1 to 128 of letters, digits, ".", "_", "@", "-", beginning with a letter or digit',
  })
  .optional()
  .describe(
    'Replicas of one group take turns: one works, the others stand by. What is written belongs to the group. Default: the name.',
  );

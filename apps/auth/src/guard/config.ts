import { MINUTE, durationField } from '@tagplane/runtime';
import { z } from 'zod';
import type { Thresholds } from './window.ts';

/** `guard` in auth's configuration. */
export const guardField = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe('whether changes that take labels away from too many nodes wait for an operator'),
    share: z
      .number()
      .gt(0)
      .max(1)
      .default(0.3)
      .describe('a change waits when it, with those before it, is of this share of the nodes of its scope'),
    nodes: z.int().min(1).max(1_000_000).default(20).describe('and of at least so many nodes'),
    window: durationField({ min: '1s', max: '1d' })
      .prefault('15m')
      .describe('how long changes add up, and how long a release is good for what follows it'),
  })
  .transform(({ window, ...rest }): Thresholds => ({
    ...rest,
    windowMs: window,
  }));

/** The guard without any configuration. */
export const DEFAULT_THRESHOLDS: Thresholds = { enabled: true, share: 0.3, nodes: 20, windowMs: 15 * MINUTE };

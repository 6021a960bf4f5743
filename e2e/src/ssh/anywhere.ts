import type { RunOptions } from '../pack/run.ts';

/** For programs that are done in a moment, on a machine that is not busy. */
export const ANYWHERE: RunOptions = { cwd: '/', timeoutMs: 120_000 };

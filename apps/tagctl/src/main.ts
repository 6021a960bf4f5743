#!/usr/bin/env -S node --conditions=@tagplane/source
import { processIo } from './process-io.ts';
import { runTagctl } from './run.ts';

// Not process.exit: what is still on its way to a pipe is written first.
process.exitCode = await runTagctl(process.argv.slice(2), processIo());

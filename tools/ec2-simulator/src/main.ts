#!/usr/bin/env -S node --conditions=@tagplane/source
import { processIo } from '@tagplane/runtime';
import { run } from './run.ts';

process.exitCode = await run(process.argv.slice(2), processIo());

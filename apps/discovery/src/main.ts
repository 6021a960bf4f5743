#!/usr/bin/env -S node --conditions=@tagplane/source
import { processIo, runProgram } from '@tagplane/runtime';
import { program } from './compose.ts';

process.exitCode = await runProgram(program, process.argv.slice(2), processIo());

#!/usr/bin/env -S node --conditions=@tagplane/source
const args = process.argv.slice(2);
const { runAgentProgram } = await import('./program.ts');
process.exitCode = await runAgentProgram(args);

export {};

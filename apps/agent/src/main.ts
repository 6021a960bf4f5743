#!/usr/bin/env -S node --conditions=@tagplane/source
import { runPrincipals } from './ssh/principals.ts';

const [first, second, ...rest] = process.argv.slice(2);

// sshd runs this one at each login, and somebody waits for it: nothing that it does not need is loaded, and
// what it needs is in the file that Node has already read.
if (first === 'ssh' && second === 'principals' && !rest.includes('--help')) {
  process.exitCode = await runPrincipals(rest, process);
} else {
  const { runAgentProgram } = await import('./program.ts');
  process.exitCode = await runAgentProgram(process.argv.slice(2));
}

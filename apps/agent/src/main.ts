#!/usr/bin/env -S node --conditions=@tagplane/source
const [first, second, ...rest] = process.argv.slice(2);

// sshd runs this one at each login, and somebody waits for it: it loads nothing that it does not need.
if (first === 'ssh' && second === 'principals' && !rest.includes('--help')) {
  const { runPrincipals } = await import('./ssh/principals.ts');
  process.exitCode = await runPrincipals(rest, process);
} else {
  const { runAgentProgram } = await import('./program.ts');
  process.exitCode = await runAgentProgram(process.argv.slice(2));
}

export {};

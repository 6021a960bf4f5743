import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { VERSION, formatAddress, isLoopback } from '@tagplane/runtime';
import type { ProgramIo } from '@tagplane/runtime';
import { parseScript } from './fault-bodies.ts';
import { HELP, NAME, readFlags } from './flags.ts';
import { createEc2Simulator } from './simulator.ts';

/**
 * The command line. Its first line of output is the address, once it listens.
 *
 * @returns the exit code: 0, 1 when it cannot listen, 2 for bad flags
 */
export async function run(args: readonly string[], io: ProgramIo): Promise<number> {
  const invocation = readFlags(args);
  switch (invocation.kind) {
    case 'help':
      io.stdout.write(HELP);
      return 0;
    case 'version':
      io.stdout.write(`${NAME} ${VERSION}\n`);
      return 0;
    case 'bad':
      io.stderr.write(`${NAME}: ${invocation.problem}\n`);
      return 2;
    case 'run':
      return await serve(invocation, io);
  }
}

async function serve(
  { listen, options, script }: Extract<ReturnType<typeof readFlags>, { kind: 'run' }>,
  io: ProgramIo,
): Promise<number> {
  try {
    const faults = script === undefined ? [] : parseScript(await readFile(script, 'utf8'));
    const simulator = createEc2Simulator({ ...options, script: faults });
    await using running = await simulator.listen(listen.port, listen.host);
    const reach = isLoopback(listen.host)
      ? 'loopback only'
      : 'WITHOUT AUTHENTICATION, for whoever reaches it';
    io.stdout.write(`${NAME} listens on ${running.url} (${formatAddress(listen)}: ${reach})\n`);
    const accounts =
      options.estate?.accounts === undefined ? '' : ` of ${running.estate.accounts.length} accounts`;
    io.stdout.write(`${running.fleet.size} instances${accounts} in ${running.regions.join(', ')}\n`);
    if (!io.signal.aborted) await once(io.signal, 'abort');
    return 0;
  } catch (error) {
    io.stderr.write(`${NAME}: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

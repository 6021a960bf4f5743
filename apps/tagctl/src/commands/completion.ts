import type { Command } from 'commander';
import { commandModel } from '../completion/model.ts';
import { completionScript } from '../completion/scripts.ts';
import type { Shell } from '../completion/shells.ts';
import { EXIT_OK } from '../errors.ts';
import type { TagctlIo } from '../io.ts';

/** `completion SHELL`: a script made of the command tree itself, so that it names every command and flag. */
export async function printCompletion(shell: Shell, program: Command, io: TagctlIo): Promise<number> {
  await io.stdout.write(completionScript(shell, commandModel(program)));
  return EXIT_OK;
}

import type { CommandBody, GlobalFlags } from '../context.ts';
import type { TagctlIo } from '../io.ts';

/** Does what a command line asked for. */
export interface Runner {
  /** With a connection to the auth service. What the command needs is loaded only then. */
  connected(flags: GlobalFlags, load: () => Promise<CommandBody>): Promise<void>;
  /** Without one, and without reading any settings. */
  alone(body: (io: TagctlIo) => Promise<number>): Promise<void>;
}

/** For the end of a command's help. */
export function examples(...lines: readonly string[]): string {
  return ['\nExamples:', ...lines.map((line) => `  $ ${line}`)].join('\n');
}

/** For the help of every `edit`. */
export const EDIT_NOTES = `
$VISUAL or $EDITOR gets the document in a file for you alone. What is not valid is opened again with what is
wrong on top; what could not be written is kept in a file that is named.
`;

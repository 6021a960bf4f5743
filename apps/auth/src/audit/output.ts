import { closeSync, constants, fchmodSync, fstatSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { ConfigError, errorMessage } from '@tagplane/runtime';

/** Takes whole lines. Rejects when they were not written, or not all of them. */
export type WriteLines = (lines: string) => Promise<void>;

// A pipe without a reader must not hold the process up; files do not care.
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;
const OWNER_ONLY = 0o600;

/**
 * Where audit lines go: `-` is standard output, anything else a file, which is made when it is not there
 * and is its owner's alone (0600). It is opened for each write, so a file that was moved away by a rotation
 * of logs is made anew.
 *
 * @throws ConfigError that names `audit.path` when the file cannot be opened
 */
export function openOutput(path: string, stdout: Writable = process.stdout): WriteLines {
  if (path === '-') return streamWriter(stdout);
  try {
    const file = openSync(path, FLAGS, OWNER_ONLY);
    try {
      const stat = fstatSync(file);
      if (stat.isFile() && (stat.mode & 0o077) !== 0) fchmodSync(file, OWNER_ONLY);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new ConfigError(`audit.path: cannot be opened: ${errorMessage(error)}`, { cause: error });
  }
  return fileWriter(path);
}

function streamWriter(stream: Writable): WriteLines {
  // A reader that went away is reported to each write; unheard, it would end the process.
  stream.on('error', () => undefined);
  return (lines) =>
    new Promise((resolve, reject) => {
      stream.write(lines, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
}

function fileWriter(path: string): WriteLines {
  /** Whether the file may end within a line. */
  let torn = false;
  return async (lines) => {
    await using file = await open(path, FLAGS, OWNER_ONLY);
    const text = torn ? `\n${lines}` : lines;
    torn = true;
    await file.appendFile(text);
    torn = false;
  };
}

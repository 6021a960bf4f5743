import type { Environment } from '@tagplane/runtime';

/** Where text goes: a terminal, a pipe or a file. */
export interface Output {
  /**
   * Resolves when the text has been taken, so that a slow reader slows the writer.
   *
   * @throws ClosedOutputError when nobody reads any more
   */
  write(text: string): Promise<void>;
  /** The terminal's size now; undefined when it is no terminal. */
  size(): TerminalSize | undefined;
  /** Calls back whenever the size changed. */
  onResize(listener: () => void): Disposable;
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** The process around tagctl, given in so that tests can run it without one. */
export interface TagctlIo {
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Environment;
  readonly homeDir: string;
  /** Aborts on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  /** Unix milliseconds. */
  now(): number;
}

/** The reader of an output went away, as `head` does. */
export class ClosedOutputError extends Error {
  override readonly name = 'ClosedOutputError';
}

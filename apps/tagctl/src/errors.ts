/** Everything went well. */
export const EXIT_OK = 0;
/** Failed, not found, unreachable, or `status` found a problem. */
export const EXIT_FAILED = 1;
/** A bad command line, configuration or file. */
export const EXIT_USAGE = 2;

/** `access check`: denied. As `tagplane-agent check`. */
export const EXIT_DENIED = 3;
/** The guard holds the change until an operator decides. */
export const EXIT_HELD = 4;

/** Ends the command with one line (or a few, one for each problem) for a person. */
export class TagctlError extends Error {
  override readonly name = 'TagctlError';
  readonly exitCode: number;

  constructor(message: string, options: { readonly exitCode?: number; readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.exitCode = options.exitCode ?? EXIT_FAILED;
  }
}

/** A mistake in what was typed or written. */
export function usageError(message: string, cause?: unknown): TagctlError {
  return new TagctlError(message, { exitCode: EXIT_USAGE, cause });
}

/** What to do without credentials, for every message that says there are none. */
export const LOG_IN = "run 'tagctl login --identity FILE', or 'tagctl login --token-file FILE --ca-pin PIN'";

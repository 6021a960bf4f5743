import { runTagctl } from '../run.ts';
import type { Output, TagctlIo, TerminalSize } from '../io.ts';

/** 2026-11-22 12:00 UTC: what `now` is in tests. */
export const NOW = Date.UTC(2026, 10, 22, 12);

/** Keeps what was written. */
export class CapturedOutput implements Output {
  text = '';
  terminal: TerminalSize | undefined;
  /** What the next write fails with. */
  failure: Error | undefined;
  readonly #listeners = new Set<() => void>();

  constructor(terminal?: TerminalSize) {
    this.terminal = terminal;
  }

  write(text: string): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    this.text += text;
    return Promise.resolve();
  }

  size(): TerminalSize | undefined {
    return this.terminal;
  }

  onResize(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return {
      [Symbol.dispose]: () => {
        this.#listeners.delete(listener);
      },
    };
  }

  resize(terminal: TerminalSize): void {
    this.terminal = terminal;
    for (const listener of this.#listeners) listener();
  }
}

/** A process around tagctl that a test can look into; it speaks without TLS unless `env` says otherwise. */
export interface TestIo extends TagctlIo {
  readonly stdout: CapturedOutput;
  readonly stderr: CapturedOutput;
}

export function testIo(
  options: {
    readonly terminal?: TerminalSize;
    readonly env?: Record<string, string>;
    readonly stdin?: string;
    readonly signal?: AbortSignal;
    readonly homeDir?: string;
    /** Default NOW. */
    readonly now?: number;
  } = {},
): TestIo {
  return {
    stdout: new CapturedOutput(options.terminal),
    stderr: new CapturedOutput(options.terminal),
    stdin: bytes(options.stdin ?? ''),
    env: { USER: 'tester', TAGPLANE_INSECURE: 'true', ...options.env },
    homeDir: options.homeDir ?? '/nonexistent',
    signal: options.signal ?? new AbortController().signal,
    now: () => options.now ?? NOW,
  };
}

/** Runs a command line to its end. */
export async function run(
  args: readonly string[],
  options?: Parameters<typeof testIo>[0],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const io = testIo(options);
  const code = await runTagctl(args, io);
  return { code, stdout: io.stdout.text, stderr: io.stderr.text };
}

// eslint's require-await would have an async generator await something.
function bytes(text: string): AsyncIterable<Uint8Array> {
  return new Blob([text]).stream();
}

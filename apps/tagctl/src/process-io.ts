import { homedir } from 'node:os';
import type { WriteStream } from 'node:tty';
import type { Output, TagctlIo, TerminalSize } from './io.ts';
import { ClosedOutputError } from './io.ts';

/** The real process around tagctl. A second signal ends it at once. */
export function processIo(): TagctlIo {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => {
      stop.abort(new Error(`stopped by ${name}`));
    });
  }
  return {
    stdin: process.stdin,
    stdout: streamOutput(process.stdout),
    stderr: streamOutput(process.stderr),
    env: process.env,
    homeDir: homedir(),
    signal: stop.signal,
    now: Date.now,
  };
}

function streamOutput(stream: WriteStream): Output {
  // Every failure also reaches its own write; without a listener it would end the process.
  stream.on('error', () => undefined);
  return {
    write: (text) => writeAll(stream, text),
    size: () => terminalSize(stream),
    onResize(listener) {
      stream.on('resize', listener);
      return {
        [Symbol.dispose]() {
          stream.off('resize', listener);
        },
      };
    },
  };
}

function writeAll(stream: WriteStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      if (error === null || error === undefined) resolve();
      else reject(isClosed(error) ? new ClosedOutputError('nobody reads', { cause: error }) : error);
    });
  });
}

function isClosed(error: NodeJS.ErrnoException): boolean {
  return error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED' || error.code === 'ECONNRESET';
}

// `isTTY` is undefined, not false, on a pipe; a terminal that does not know its size says 0.
function terminalSize(stream: WriteStream): TerminalSize | undefined {
  if (!(stream as { isTTY?: boolean }).isTTY) return undefined;
  return { columns: stream.columns || 80, rows: stream.rows || 24 };
}

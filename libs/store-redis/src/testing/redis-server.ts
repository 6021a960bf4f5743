import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endProgram, freePort, startProgram } from './processes.ts';

export interface RedisServerOptions {
  /** Keeps what was acknowledged over a kill: an append-only file, synced at every write. Default false. */
  readonly appendonly?: boolean;
  /** More arguments, such as `['--cluster-enabled', 'yes']`. */
  readonly args?: readonly string[];
}

/** A Redis of its own on a free port of 127.0.0.1, for tests. */
export interface RedisServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Of the running process; another one after a restart. */
  readonly pid: number;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Kills it when it runs, and starts it on the same port; `empty` removes what it had on disk. */
  restart(options?: { readonly empty?: boolean }): Promise<void>;
  /** Ends it and removes its files. */
  stop(): Promise<void>;
}

const READY = /Ready to accept connections/;

/** Starts Debian's `redis-server`. Rejects with an error that names it when it is missing. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const { appendonly = false, args = [] } = options;
  const port = await freePort();
  const dir = await mkdtemp(join(tmpdir(), 'tagplane-redis-'));
  const persistence = appendonly
    ? ['--appendonly', 'yes', '--appendfsync', 'always']
    : ['--appendonly', 'no'];
  const all = [
    '--port',
    `${port}`,
    '--bind',
    '127.0.0.1',
    '--dir',
    dir,
    '--save',
    '',
    ...persistence,
    ...args,
  ];
  const start = (): ReturnType<typeof startProgram> => startProgram('redis-server', all, READY);
  const removeFiles = (): Promise<void> => rm(dir, { recursive: true, force: true });
  let child = await start().catch(async (error: unknown) => {
    await removeFiles();
    throw error;
  });
  const stop = async (): Promise<void> => {
    await endProgram(child, 'SIGKILL');
    await removeFiles();
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return child.pid ?? 0;
    },
    kill: () => endProgram(child, 'SIGKILL'),
    async restart({ empty = false } = {}) {
      await endProgram(child, 'SIGKILL');
      if (empty) await rm(join(dir, 'appendonlydir'), { recursive: true, force: true });
      child = await start();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

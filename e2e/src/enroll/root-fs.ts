import { access, copyFile, lstat, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { startProcess, waitFor } from '@tagplane/harness';
import type { ManagedProcess } from '@tagplane/harness';
import type { Ended } from '../pack/run.ts';
import { run } from '../pack/run.ts';

/** This machine's root under a layer that takes every change and goes away with it: `$1` is the folder. */
const MOUNT = `
set -eu
mount -t tmpfs layer "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount --bind /proc "$1/root/proc"
mount --bind /dev "$1/root/dev"
mount -t tmpfs run "$1/root/run"
mount -t tmpfs tmp "$1/root/tmp"
chmod 1777 "$1/root/tmp"
: >"$1/ready"
exec sleep infinity
`;
const COMMAND_MS = 120_000;

/** A root file system of its own, on the network of this machine. */
export interface RootFs extends AsyncDisposable {
  /** Its path for programs outside, such as `--root`; only `outside` sees it. */
  readonly path: string;
  /** Runs a command in it, as root; options of `chroot` go first. */
  run(...command: readonly string[]): Promise<Ended>;
  /** Runs a command outside of it that sees it at `path`. */
  outside(...command: readonly string[]): Promise<Ended>;
  /** Starts a program in it as a user. */
  start(
    user: string,
    env: Readonly<Record<string, string>>,
    command: readonly string[],
  ): Promise<ManagedProcess>;
  read(file: string): Promise<string>;
  /** Also a link that leads nowhere from out here. */
  has(file: string): Promise<boolean>;
  /** Copies a file of this machine into it. */
  bring(file: string, to: string): Promise<void>;
}

/** @throws Error unless it is run by root, on Linux: it mounts */
export async function createRootFs(): Promise<RootFs> {
  if (process.getuid?.() !== 0) throw new Error('the tests of the installer are to be run by root');
  const folder = await mkdtemp(join(tmpdir(), 'tagplane-root-'));
  const holder = await startProcess({
    name: 'root file system',
    command: 'unshare',
    args: ['--mount', '--propagation', 'private', 'sh', '-c', MOUNT, 'sh', folder],
  });
  /** How this process sees into the other's mounts. */
  const seen = (path: string): string => join(`/proc/${holder.pid}/root`, folder, path);
  await waitFor('the root file system is mounted', async () => {
    if (!holder.running()) throw new Error(holder.output.join('\n'));
    await access(seen('ready'));
    return true;
  });
  const path = join(folder, 'root');
  const enter = ['--target', String(holder.pid), '--mount'];
  const within = (file: string): string => seen(join('root', file));
  return {
    path,
    run: (...command) => nsenter([...enter, 'chroot', path, ...command]),
    outside: (...command) => nsenter([...enter, ...command]),
    start: (user, env, command) =>
      startProcess({
        name: command[0] ?? '',
        command: 'nsenter',
        args: [...enter, 'chroot', `--userspec=${user}`, path, ...command],
        env,
      }),
    read: (file) => readFile(within(file), 'utf8'),
    has: (file) =>
      lstat(within(file)).then(
        () => true,
        () => false,
      ),
    async bring(file, to) {
      await mkdir(dirname(within(to)), { recursive: true });
      await copyFile(file, within(to));
    },
    async [Symbol.asyncDispose]() {
      await holder.stop(0);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function nsenter(args: readonly string[]): Promise<Ended> {
  return run('nsenter', args, { cwd: '/', timeoutMs: COMMAND_MS });
}

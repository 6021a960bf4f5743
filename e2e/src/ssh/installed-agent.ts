import { chmod, copyFile, cp, mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Ended } from '../pack/run.ts';
import { mustRun, run } from '../pack/run.ts';
import { ANYWHERE } from './anywhere.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** Root's alone on the whole way, as sshd demands of what it runs; a checkout need not be. */
const PLACE = '/var/lib';

/** The agent's program as it is shipped, where sshd may run it. */
export interface InstalledAgent extends AsyncDisposable {
  /** Everybody may look into it. */
  readonly folder: string;
  readonly node: string;
  readonly main: string;
  /** Runs a command of it. */
  run(...args: readonly string[]): Promise<Ended>;
}

/** @throws Error unless it is run by root: sshd changes to other users */
export async function installAgent(): Promise<InstalledAgent> {
  if (process.getuid?.() !== 0) throw new Error('the tests with sshd are to be run by root');
  await mustRun(process.execPath, [join(ROOT, 'tools/bundle/bundle.mjs'), 'apps/agent'], ANYWHERE);
  const folder = await mkdtemp(join(PLACE, 'tagplane-ssh-'));
  await chmod(folder, 0o755);
  const node = join(folder, 'node');
  const program = join(folder, 'program');
  await copyFile(await realpath(process.execPath), node);
  await chmod(node, 0o755);
  await mkdir(program);
  await cp(join(ROOT, 'apps/agent/dist'), program, { recursive: true });
  await mustRun('chown', ['-R', 'root:root', folder], ANYWHERE);
  await mustRun('chmod', ['-R', 'go-w,a+rX', folder], ANYWHERE);
  const main = join(program, 'main.js');
  return {
    folder,
    node,
    main,
    run: (...args) => run(node, [main, ...args], ANYWHERE),
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true });
    },
  };
}

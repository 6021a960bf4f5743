import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Place } from '../setup/install.ts';

/** A program that answers `-t` and `-T` as sshd does, and a place for a file that it is to read. */
export interface FakeSshd extends AsyncDisposable {
  readonly place: Place;
  readonly folder: string;
  /** What `-T` prints; with `problem`, it and `-t` fail with that. */
  says(effective: string, problem?: string): Promise<void>;
  /** From now on it fails as long as there is a file at the place. */
  refusesTheFile(): Promise<void>;
  /** The content of the file at the place. */
  content(): Promise<string | undefined>;
}

export async function fakeSshd(): Promise<FakeSshd> {
  const folder = await mkdtemp(join(tmpdir(), 'agent-'));
  const program = join(folder, 'sshd');
  const file = join(folder, 'sshd_config.d', '50-tagplane.conf');
  await mkdir(join(folder, 'sshd_config.d'));
  const write = async (script: string): Promise<void> => {
    await writeFile(program, `#!/bin/sh\n${script}`);
    await chmod(program, 0o755);
  };
  await write('exit 0\n');
  return {
    folder,
    place: { file, sshd: { program, config: join(folder, 'sshd_config') } },
    async says(effective, problem) {
      await writeFile(join(folder, 'effective'), effective);
      await write(
        problem === undefined
          ? `[ "$1" = -t ] || cat '${join(folder, 'effective')}'\n`
          : `echo '${problem}' >&2; exit 255\n`,
      );
    },
    refusesTheFile: () => write(`[ ! -e '${file}' ] || { echo 'bad line' >&2; exit 255; }\n`),
    content: () => readFile(file, 'utf8').catch(() => undefined),
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true });
    },
  };
}

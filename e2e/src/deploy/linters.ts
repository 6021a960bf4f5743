import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const PACKAGES = ['cfn-lint==1.58.0', 'python-hcl2==8.1.4', 'parliament==1.6.4'];
/** Some 100 MB from a package index, on a busy machine. */
const INSTALL_TIMEOUT_MS = 10 * 60_000;
const LINT_TIMEOUT_MS = 5 * 60_000;

export interface Ended {
  readonly code: number;
  readonly output: string;
}

/** Linters that were installed into a folder of their own, which goes with them. */
export interface Linters extends AsyncDisposable {
  /** Runs a program that came with them; resolves to how it ended. */
  run(program: string, args: readonly string[]): Promise<Ended>;
}

export async function installLinters(): Promise<Linters> {
  const folder = await mkdtemp(join(tmpdir(), 'tagplane-linters-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await run('python3', ['-m', 'venv', folder], { timeout: INSTALL_TIMEOUT_MS });
    const args = ['install', '--quiet', '--disable-pip-version-check', ...PACKAGES];
    await run(join(folder, 'bin', 'pip'), args, { timeout: INSTALL_TIMEOUT_MS });
  } catch (cause) {
    await remove();
    throw new Error('the linters need python3 with venv, and pip with a package index', { cause });
  }
  return {
    run: (program, args) => toEnd(join(folder, 'bin', program), args),
    [Symbol.asyncDispose]: remove,
  };
}

/** Runs a program to its end, however that is. */
export async function toEnd(program: string, args: readonly string[]): Promise<Ended> {
  try {
    const { stdout, stderr } = await run(program, args, { timeout: LINT_TIMEOUT_MS });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: unknown; stdout?: string; stderr?: string };
    if (typeof code !== 'number') throw error;
    return { code, output: stdout + stderr };
  }
}

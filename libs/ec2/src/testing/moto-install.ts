import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** moto and boto3 are some 50 MB from a registry. */
const INSTALL_TIMEOUT_MS = 5 * 60_000;

/** The path of a `moto_server`, installed first when there is none. Throws an error that says what to do. */
export async function motoCommand(): Promise<string> {
  const found = await onPath('moto_server');
  if (found !== undefined) return found;
  const home = join(await workspaceRoot(process.cwd()), '.cache', 'moto');
  const command = join(home, 'bin', 'moto_server');
  if (!(await executable(command))) await install(home);
  return command;
}

/**
 * A virtual environment does not survive a move, so a broken one is taken away and made anew; the
 * marker of a complete one is its `moto_server`, which pip writes last.
 */
async function install(home: string): Promise<void> {
  await mkdir(dirname(home), { recursive: true });
  const broken = `${home}.broken-${process.pid}`;
  await rename(home, broken).catch(() => undefined);
  await rm(broken, { recursive: true, force: true });
  try {
    await run('python3', ['-m', 'venv', home], { timeout: INSTALL_TIMEOUT_MS });
    await run(join(home, 'bin', 'pip'), ['install', '--quiet', 'moto[server,ec2]', 'boto3'], {
      timeout: INSTALL_TIMEOUT_MS,
    });
  } catch (cause) {
    throw new Error(
      'moto_server is not on PATH, and could not be installed: it needs python3 with venv, and pip ' +
        'with a package index to install moto[server,ec2] from',
      { cause },
    );
  }
}

async function onPath(name: string): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    if (folder !== '' && (await executable(join(folder, name)))) return join(folder, name);
  }
  return undefined;
}

async function workspaceRoot(folder: string): Promise<string> {
  const marked = await access(join(folder, 'nx.json')).then(
    () => true,
    () => false,
  );
  const parent = dirname(folder);
  if (marked || parent === folder) return marked ? folder : process.cwd();
  return await workspaceRoot(parent);
}

async function executable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

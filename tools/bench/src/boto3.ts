import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { motoCommand } from '@tagplane/ec2/testing';

const SCRIPT = fileURLToPath(new URL('./workers/boto3_scan.py', import.meta.url));
/** A hundred pages, at several seconds each on a busy machine. */
const TIMEOUT_MS = 30 * 60_000;
const run = promisify(execFile);

export interface Boto3Scan {
  readonly instances: number;
  readonly requests: number;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly peakRssMiB: number;
}

/** The Python that has boto3, the one that moto was installed for; undefined where there is none. */
export async function findBoto3(): Promise<string | undefined> {
  try {
    const beside = join(dirname(await motoCommand()), 'python3');
    const python = await access(beside).then(
      () => beside,
      () => 'python3',
    );
    await run(python, ['-c', 'import boto3']);
    return python;
  } catch {
    return undefined;
  }
}

export async function scanWithBoto3(python: string, endpoint: string): Promise<Boto3Scan> {
  const { stdout } = await run(python, [SCRIPT, endpoint], { timeout: TIMEOUT_MS });
  return JSON.parse(stdout) as Boto3Scan;
}

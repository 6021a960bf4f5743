import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TestKeys } from './signed-caller.ts';

/** Run, not imported: an app and its tests import no tool. */
const MAIN = join(import.meta.dirname, '../../../../tools/ec2-simulator/src/main.ts');

/** STS and EC2 of the simulator, in a process of their own. */
export interface StsSimulator extends AsyncDisposable {
  readonly url: string;
  /** Makes credentials of this identity known to STS. */
  credentials(identity: { account: string; arn: string; ttl_ms?: number }): Promise<TestKeys>;
  /** What happens to the next requests; see the simulator's README. */
  fault(fault: Readonly<Record<string, unknown>>): Promise<void>;
}

export async function startStsSimulator(): Promise<StsSimulator> {
  const args = ['--conditions=@tagplane/source', MAIN, '--listen', '127.0.0.1:0', '--instances', '2'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await new Promise<string>((resolve, reject) => {
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      const [, announced] = /listens on (http:\/\/\S+)/.exec(output) ?? [];
      if (announced !== undefined) resolve(announced);
    });
    child.once('exit', () => {
      reject(new Error(`the simulator ended: ${output}`));
    });
  });
  const control = async (path: string, body: object): Promise<unknown> => {
    const init = { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(new URL(`/_control/${path}`, url), init);
    if (!response.ok) throw new Error(`${path}: HTTP ${response.status}: ${await response.text()}`);
    return await response.json();
  };
  return {
    url,
    async credentials(identity) {
      const made = (await control('sts/credentials', identity)) as Record<string, string>;
      return {
        accessKeyId: made['AccessKeyId'] ?? '',
        secretAccessKey: made['SecretAccessKey'] ?? '',
        sessionToken: made['Token'],
      };
    },
    async fault(fault) {
      await control('faults', { action: 'GetCallerIdentity', ...fault });
    },
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit');
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        await exited;
      }
    },
  };
}

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { connectOperator, freePort, startService, waitFor } from '@tagplane/harness';
import { startAuth } from './servers.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const START_MS = 120_000;
const run = promisify(execFile);

/** A running agent that lets the holder of a certificate in, and the words that ask it as sshd does. */
export interface LoginAgent extends AsyncDisposable {
  /** For Node: the program as it is shipped, and its arguments. */
  readonly command: readonly string[];
  /** What it prints when the login is allowed. */
  readonly prints: string;
}

/** An agent with a role, sent by an auth service on the given Redis. */
export async function startLoginAgent(redisUrl: string): Promise<LoginAgent> {
  await run(process.execPath, [join(ROOT, 'tools/bundle/bundle.mjs'), 'apps/agent']);
  await using parts = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'tagplane-bench-'));
  parts.defer(() => rm(folder, { recursive: true, force: true }));
  const auth = parts.use(await startAuth(redisUrl));
  using operator = connectOperator(auth.port);
  const rule = { logins: ['deploy'], nodeLabels: { terms: [{ key: 'tier', values: ['web'] }] } };
  await operator.roles.putRole({ role: { name: 'dev', allow: [rule] } });
  const socket = join(folder, 'ssh.sock');
  const settings = {
    ...{ AUTH_ADDRESSES: `127.0.0.1:${auth.port}`, TLS_MODE: 'insecure', SERVER_ID: 'bench' },
    ...{ DATA_DIR: join(folder, 'data'), DIAGNOSTICS: `127.0.0.1:${await freePort()}`, LOG_LEVEL: 'warn' },
    ...{ LABELS: '{"tier": "web"}', SSH_SOCKET: socket },
  };
  parts.use(await startService('agent', 'agent', settings, { AWS_EC2_METADATA_DISABLED: 'true' }));
  const command = [
    join(ROOT, 'apps/agent/dist/main.js'),
    ...['ssh', 'principals', '--user', 'deploy', '--certificate', await certificate(), '--socket', socket],
  ];
  const prints = 'dev\n';
  const allowed = async (): Promise<boolean> => (await run(process.execPath, command)).stdout === prints;
  await waitFor('the agent lets it in', allowed, { timeoutMs: START_MS, everyMs: 500 });
  const owned = parts.move();
  return { command, prints, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** One that ssh-keygen made, with the principals dev and ops. */
async function certificate(): Promise<string> {
  const text = await readFile(join(ROOT, 'apps/agent/src/ssh/testing/certificates.json'), 'utf8');
  const made = JSON.parse(text) as readonly { readonly name: string; readonly certificate: string }[];
  const found = made.find(({ name }) => name === 'ed25519');
  if (found === undefined) throw new Error('there is no certificate to ask with');
  return found.certificate;
}

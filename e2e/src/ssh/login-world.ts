import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '@tagplane/harness';
import { startRedis } from '@tagplane/store-redis/testing';
import type { Agent, AgentPlace } from '../world/agent.ts';
import type { World } from '../world/world.ts';
import { createWorld } from '../world/world.ts';
import type { InstalledAgent } from './installed-agent.ts';
import { installAgent } from './installed-agent.ts';
import type { Rule } from './roles.ts';
import { putRole } from './roles.ts';
import type { Sshd } from './sshd.ts';
import { startSshd } from './sshd.ts';
import type { CertificateParts, Identity, UserCa } from './user-ca.ts';
import { createUserCa } from './user-ca.ts';

export type Outcome = 'allowed' | 'refused';

/** One server that people log in to: its agent, its sshd, and all services behind them. */
export interface LoginWorld extends AsyncDisposable {
  readonly world: World;
  readonly agent: Agent;
  readonly sshd: Sshd;
  readonly installed: InstalledAgent;
  /** Whose certificates sshd trusts. */
  readonly ca: UserCa;
  /** For files that go with it. */
  readonly folder: string;
  certify(parts: CertificateParts): Promise<Identity>;
  putRole(name: string, rules: { allow?: readonly Rule[]; deny?: readonly Rule[] }): Promise<void>;
  /** Runs a command of the agent's program on this world's sshd: `ssh install` and the like. */
  ssh(command: string, ...args: readonly string[]): ReturnType<InstalledAgent['run']>;
  /** Waits until a login ends so. */
  logsIn(outcome: Outcome, identity: Identity, user?: string): Promise<void>;
  /** Waits until the agent, asked itself, decides so about roles. */
  decides(outcome: Outcome, roles: readonly string[]): Promise<void>;
  /** Waits until the agent holds a tag of its instance. */
  holdsTag(key: string, value: string): Promise<void>;
  /** Starts the agent, and waits until it answers on its socket. */
  startAgent(env?: Readonly<Record<string, string>>): Promise<void>;
}

/** A scan of moto takes seconds, and the machine may be busy with other tests. */
export const STEP_MS = 120_000;
/** Whom the tests log in as: the only user of whom a container can be sure. */
export const LOGIN = 'root';

export async function createLoginWorld(options: {
  readonly ec2Url: string;
  readonly place: AgentPlace;
}): Promise<LoginWorld> {
  await using parts = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'tagplane-ssh-'));
  parts.defer(() => rm(folder, { recursive: true, force: true }));
  const redis = await startRedis();
  parts.defer(() => redis.stop());
  const installed = parts.use(await installAgent());
  const loginSocket = join(installed.folder, 'run/ssh.sock');
  const world = parts.use(
    await createWorld({
      redisUrl: redis.url,
      auths: 1,
      ec2Url: options.ec2Url,
      regions: [options.place.region],
      pollInterval: '1s',
      places: [options.place],
      agentSettings: { SSH_SOCKET: loginSocket },
    }),
  );
  const sshd = parts.use(await startSshd(folder));
  const ca = await createUserCa(folder, 'user_ca');
  await world.start();
  const [agent] = world.agents;
  if (agent === undefined) throw new TypeError('there is no agent');
  const ssh = sshCommand({ installed, sshd, ca, agent, loginSocket });
  const made = { world, agent, sshd, installed, ca, folder, ssh };
  const owned = parts.move();
  return { ...made, ...actions(made), [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function sshCommand(made: {
  readonly installed: InstalledAgent;
  readonly sshd: Sshd;
  readonly ca: UserCa;
  readonly agent: Agent;
  readonly loginSocket: string;
}): LoginWorld['ssh'] {
  const { installed, sshd, ca, agent, loginSocket } = made;
  const own: Record<string, readonly string[]> = {
    install: ['--ca-keys', ca.publicKeyFile, '--socket', loginSocket],
    check: ['--login', LOGIN, '--socket', agent.socket],
  };
  return (command, ...args) =>
    installed.run('ssh', command, '--sshd-config', sshd.configFile, ...(own[command] ?? []), ...args);
}

function actions({ world, agent, sshd, ca }: Pick<LoginWorld, 'world' | 'agent' | 'sshd' | 'ca'>) {
  return {
    certify: (parts: CertificateParts) => ca.certify(parts),
    async putRole(name: string, rules: Parameters<LoginWorld['putRole']>[1]) {
      using operator = world.operator(0);
      await putRole(operator, name, rules);
    },
    async logsIn(outcome: Outcome, identity: Identity, user = LOGIN) {
      await waitFor(
        `a login as ${user} is ${outcome}`,
        async () => (await sshd.login(user, identity)) === outcome,
        { timeoutMs: STEP_MS, everyMs: 500 },
      );
    },
    async decides(outcome: Outcome, roles: readonly string[]) {
      const query = new URLSearchParams({ login: LOGIN });
      for (const role of roles) query.append('role', role);
      const path = `/v1/decide?${query.toString()}`;
      let last: unknown;
      await waitFor(
        `the agent decides that ${roles.join(', ')} is ${outcome}`,
        async () => {
          last = await agent.ask(path);
          const { allowed } = last as { allowed: boolean };
          if (allowed !== (outcome === 'allowed')) throw new Error(JSON.stringify(last));
          return true;
        },
        { timeoutMs: STEP_MS, everyMs: 200 },
      );
    },
    async holdsTag(key: string, value: string) {
      const held = async (): Promise<boolean> => (await agent.tags()).get(key) === value;
      await waitFor(`the agent holds ${key} = ${value}`, held, { timeoutMs: STEP_MS, everyMs: 200 });
    },
    async startAgent(env: Readonly<Record<string, string>> = {}) {
      await agent.service.start({}, env);
      await waitFor('the agent answers', () => agent.ask('/v1/status'), { timeoutMs: STEP_MS });
    },
  };
}

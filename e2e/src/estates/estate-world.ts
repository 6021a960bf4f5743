import type { RunningSimulator } from '@tagplane/ec2-simulator';
import type { Operator } from '@tagplane/harness';
import { joinSettings, metricSum, runTagctl, tagctlEnv, waitFor } from '@tagplane/harness';
import type { ServerInfo } from '@tagplane/protocol';
import { agentToken } from '../world/joining.ts';
import type { World } from '../world/world.ts';
import { labelsOf, writeKnown } from './write-known.ts';
import type { View } from './write-known.ts';

/** For what takes a scan or two on a machine that is busy. */
export const STEP_MS = 120_000;

/** What `tagctl discovery scopes --format json` says of a scope; what is read here of it. */
export interface ScopeRow {
  readonly id: string;
  readonly state: string;
  readonly problem: string | null;
  readonly instances: number;
}

/** Labels by the name of their ServerInfo. */
export type Labels = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** A world over an estate, and what an operator sees of it. */
export class EstateWorld {
  readonly aws: RunningSimulator;
  readonly world: World;
  readonly #operator: Operator;

  constructor(aws: RunningSimulator, world: World) {
    this.aws = aws;
    this.world = world;
    this.#operator = world.operator(0);
  }

  /** Starts everything, with these instances known already, as another run of the same discovery left them. */
  async begin(known: readonly View[]): Promise<void> {
    const { auths, agents, discoveries } = this.world;
    await Promise.all(auths.map((auth) => auth.start()));
    await Promise.all(auths.map((auth) => auth.ready()));
    const [discovery] = discoveries;
    if (discovery === undefined) throw new Error('a world has a discovery');
    await writeKnown(this.world, discovery.name, known);
    for (const agent of agents) {
      await agent.service.start(joinSettings(await agentToken(this.#operator, agent)));
    }
    await this.world.startDiscovery(discovery);
  }

  /** The instances of these accounts. */
  views(accounts: readonly string[]): View[] {
    return accounts.flatMap((account) =>
      this.aws.regions.flatMap((region) => this.aws.fleet.list({ account, region, limit: Infinity })),
    );
  }

  /** What should be there: each instance of these accounts that is not terminated, with all its tags. */
  wanted(accounts: readonly string[]): Labels {
    const wanted = new Map<string, Record<string, string>>();
    for (const { account, region, id, state, tags } of this.views(accounts)) {
      if (state === 'terminated' || state === 'shutting-down') continue;
      wanted.set(`aws-${account}-${region}-${id}`, labelsOf(tags));
    }
    return wanted;
  }

  async held(): Promise<Labels> {
    const infos = await this.#operator.listServerInfos();
    return new Map(infos.map(({ name, labels }: ServerInfo) => [name, labels]));
  }

  /** Resolves when the ServerInfos are exactly those of these accounts. */
  async exact(accounts: readonly string[], timeoutMs = STEP_MS): Promise<void> {
    await this.until(
      'the ServerInfos are those of the estate',
      async () => {
        const [wanted, held] = [this.wanted(accounts), await this.held()];
        const problem = difference(wanted, held);
        if (problem !== undefined) throw new Error(problem);
        return true;
      },
      timeoutMs,
    );
  }

  async tagctl(...args: string[]): Promise<string> {
    const { authPorts, credentialFile } = this.world;
    return (await runTagctl(args, tagctlEnv({ port: authPorts[0] ?? 0, credentialFile }))).stdout;
  }

  async scopes(): Promise<ScopeRow[]> {
    return JSON.parse(await this.tagctl('discovery', 'scopes', '--format', 'json')) as ScopeRow[];
  }

  /** Resolves to the scope once it is in this state. */
  async scope(id: string, state: string): Promise<ScopeRow> {
    return await this.until(`${id} is ${state}`, async () =>
      (await this.scopes()).find((scope) => scope.id === id && scope.state === state),
    );
  }

  /** The sum of one of discovery's metrics. */
  async metric(name: string, containing?: string): Promise<number> {
    return metricSum(await this.world.discovery.metrics(), `tagplane_discovery_${name}`, containing);
  }

  /** Waits until a scope has been scanned so many times more, completely. */
  async scanned(scope: string, times = 2): Promise<void> {
    const count = (): Promise<number> => this.metric('scans_total', `scope="${scope}",result="complete"`);
    const goal = (await count()) + times;
    await this.until(`${scope} is scanned`, async () => (await count()) >= goal);
  }

  /** Waits until the faults that were set have fallen. */
  async faultsFallen(): Promise<void> {
    await this.until('the faults have fallen', () => this.aws.fleet.faults.pending === 0);
  }

  until<Value>(
    what: string,
    probe: () => Promise<Value | undefined | false> | Value | undefined | false,
    timeoutMs = STEP_MS,
  ): Promise<Value> {
    return waitFor(what, probe, { timeoutMs, everyMs: 200 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#operator[Symbol.dispose]();
    await this.world[Symbol.asyncDispose]();
    await this.aws.close();
  }
}

/** The first thing in which they differ. */
function difference(wanted: Labels, held: Labels): string | undefined {
  for (const [name, labels] of wanted) {
    const has = held.get(name);
    if (has === undefined) return `${name} is missing, of ${wanted.size}; there are ${held.size}`;
    if (canonical(has) !== canonical(labels)) return `${name} has other labels: ${canonical(has)}`;
  }
  for (const name of held.keys()) if (!wanted.has(name)) return `${name} should not be there`;
  return undefined;
}

function canonical(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

import { AwsError } from '../aws-error.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { SimInstance } from '../fleet/instance.ts';
import { hexOf, mix } from '../fleet/random.ts';
import { statusOf } from './command.ts';
import type {
  CommandHandler,
  CommandOutcome,
  DeliveredCommand,
  Invocation,
  ScriptedResult,
  SsmAgentState,
} from './command.ts';

export interface SsmInstanceRef {
  readonly region: string;
  readonly id: string;
  /** Default: the account of the seeded instances. */
  readonly account?: string | undefined;
}

export interface SendRequest {
  readonly account: string;
  readonly region: string;
  readonly instances: readonly string[];
  readonly document: string;
  readonly parameters: Readonly<Record<string, readonly string[]>>;
  readonly comment: string;
  readonly timeoutMs: number;
}

/** The oldest commands are forgotten beyond this many. */
const MAX_INVOCATIONS = 100_000;

/** Systems Manager from outside of AWS's API: what the agents are and do. */
export class SsmControl {
  readonly #fleet: Fleet;
  readonly #seed: number;
  readonly #agents = new Map<string, SsmAgentState>();
  #agentsBefore: SsmAgentState;
  readonly #default: SsmAgentState;
  #script: { result: ScriptedResult; left: number }[] = [];
  #handler: CommandHandler | undefined;
  readonly #invocations = new Map<string, Invocation[]>();
  #size = 0;
  #commands = 0;

  /** @param agents what every instance has unless it is told otherwise */
  constructor(fleet: Fleet, seed: number, agents: SsmAgentState = 'online') {
    this.#fleet = fleet;
    this.#seed = seed;
    this.#default = agents;
    this.#agentsBefore = agents;
  }

  /** Of every instance that is not told otherwise. */
  setAgents(state: SsmAgentState): void {
    this.#agentsBefore = state;
  }

  /** An agent that comes back gets what waits for it. Throws AwsError for an instance that is not there. */
  setAgent(ref: SsmInstanceRef, state: SsmAgentState): void {
    const { account = this.#fleet.options.account, region, id } = ref;
    if (!this.#fleet.hasRegion(region) || this.#fleet.get(account, region, id) === undefined) {
      throw new AwsError('InvalidInstanceId', `there is no instance ${id} in ${region}`, 404);
    }
    this.#agents.set(keyOf(account, region, id), state);
    if (state !== 'online') return;
    for (const invocation of this.invocations()) {
      const { command } = invocation;
      if (command.instance === id && command.account === account && command.region === region) {
        this.#deliver(invocation);
      }
    }
  }

  /** Only what runs can be online; what was never registered, SSM does not know at all. */
  agentOf(instance: SimInstance): SsmAgentState {
    const { account, region, id } = instance;
    const state = this.#agents.get(keyOf(account, region, id)) ?? this.#agentsBefore;
    return state === 'online' && this.#fleet.stateOf(instance) !== 'running' ? 'offline' : state;
  }

  /** Carries out what no script is about. Undefined: every command succeeds. */
  onCommand(handler: CommandHandler | undefined): void {
    this.#handler = handler;
  }

  script(...results: readonly ScriptedResult[]): void {
    for (const result of results) this.#script.push({ result, left: result.count ?? 1 });
  }

  /** All that were sent, oldest first. */
  *invocations(): Iterable<Invocation> {
    for (const command of this.#invocations.values()) yield* command;
  }

  /** Those of one command; undefined for an unknown one. */
  of(account: string, region: string, commandId: string): readonly Invocation[] | undefined {
    const found = this.#invocations.get(commandId);
    const command = found?.[0]?.command;
    return command?.account === account && command.region === region ? found : undefined;
  }

  /** Sends a command to instances that SSM knows; whoever is online has it at once. */
  send({ account, region, instances, document, parameters, comment, timeoutMs }: SendRequest): Invocation[] {
    const now = this.#fleet.options.now();
    const commandId = this.#newId();
    const sent = instances.map((instance): Invocation => {
      const command = { commandId, account, region, instance, document, parameters };
      return {
        ...{ command, comment, requestedAt: now, deliverBy: now + timeoutMs },
        ...{ delivered: false, cancelled: false, end: undefined, stop: new AbortController() },
      };
    });
    this.#invocations.set(commandId, sent);
    this.#size += sent.length;
    this.#forgetOldest();
    for (const invocation of sent) this.#deliver(invocation);
    return sent;
  }

  cancel(invocation: Invocation): void {
    const { status } = statusOf(invocation, this.#fleet.options.now());
    if (status !== 'Pending' && status !== 'InProgress') return;
    invocation.cancelled = true;
    invocation.end = undefined;
    invocation.stop.abort();
  }

  reset(): void {
    this.close();
    this.#invocations.clear();
    this.#agents.clear();
    this.#agentsBefore = this.#default;
    this.#script = [];
    this.#handler = undefined;
    this.#size = 0;
    this.#commands = 0;
  }

  /** Ends what is being carried out. */
  close(): void {
    for (const { stop } of this.invocations()) stop.abort();
  }

  #deliver(invocation: Invocation): void {
    const { command, cancelled, delivered, deliverBy } = invocation;
    const now = this.#fleet.options.now();
    const instance = this.#fleet.get(command.account, command.region, command.instance);
    if (cancelled || delivered || now >= deliverBy || instance === undefined) return;
    if (this.agentOf(instance) !== 'online') return;
    invocation.delivered = true;
    const scripted = this.#takeScript(command.instance);
    if (scripted === undefined) this.#carryOut(invocation);
    else if (scripted.outcome !== 'never') {
      invocation.end = { at: now + (scripted.delayMs ?? 0), outcome: scripted.outcome };
    }
  }

  #carryOut(invocation: Invocation): void {
    const { command, stop } = invocation;
    const handler = this.#handler ?? succeed;
    Promise.resolve()
      .then(() => handler(command, stop.signal))
      .catch((error: unknown): CommandOutcome => ({ status: 'Failed', error: String(error) }))
      .then(
        (outcome) => {
          if (!invocation.cancelled) invocation.end = { at: this.#fleet.options.now(), outcome };
        },
        () => undefined,
      );
  }

  #takeScript(instance: string): ScriptedResult | undefined {
    const entry = this.#script.find(
      ({ result }) => result.instance === undefined || result.instance === instance,
    );
    if (entry === undefined) return undefined;
    entry.left -= 1;
    if (entry.left <= 0) this.#script = this.#script.filter((other) => other !== entry);
    return entry.result;
  }

  #forgetOldest(): void {
    for (const [id, invocations] of this.#invocations) {
      if (this.#size <= MAX_INVOCATIONS) return;
      this.#invocations.delete(id);
      this.#size -= invocations.length;
    }
  }

  /** Follows from the seed, as all that the simulator makes up. */
  #newId(): string {
    this.#commands += 1;
    const hex = hexOf(mix(this.#seed, this.#commands), 96, 32);
    const [a, b, c, d] = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(13, 16), hex.slice(17, 20)];
    return `${a}-${b}-4${c}-8${d}-${this.#commands.toString(16).padStart(12, '0')}`;
  }
}

function succeed(_command: DeliveredCommand): CommandOutcome {
  return { status: 'Success' };
}

function keyOf(account: string, region: string, id: string): string {
  return `${account}/${region}/${id}`;
}

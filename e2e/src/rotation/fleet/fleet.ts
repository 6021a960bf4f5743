import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@tagplane/harness';
import type { AgentPlan, AgentState, FleetCommand, FleetPlan, FleetReport } from './messages.ts';

/** What an agent was seen to do. Times are Unix milliseconds. */
export class FleetAgent {
  readonly index: number;
  readonly plan: AgentPlan;
  /** The auth process that it is connected to; undefined: none. */
  authId: string | undefined;
  readonly connects: { readonly authId: string; readonly at: number }[] = [];
  readonly disconnects: { readonly reason: string; readonly at: number }[] = [];

  constructor(index: number, plan: AgentPlan) {
    this.index = index;
    this.plan = plan;
  }

  get id(): string {
    return this.plan.serverId;
  }
}

export interface Fleet extends AsyncDisposable {
  readonly agents: readonly FleetAgent[];
  /** Resolves when every one has been connected at once. */
  connected(timeoutMs: number): Promise<void>;
  states(): Promise<Extract<FleetReport, { type: 'states' }>>;
}

export interface FleetOptions extends FleetPlan {
  /** Told of each value of the label that an agent says it holds. */
  readonly onHeld: (held: Extract<FleetReport, { type: 'held' }>) => void;
}

/** Starts agents in a process of their own. */
export function startFleet({ authPorts, agents: plans, onHeld }: FleetOptions): Fleet {
  const module = fileURLToPath(new URL('./agents-process.ts', import.meta.url));
  const child = fork(module, [], {
    execArgv: ['--conditions=@tagplane/source'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const agents = plans.map((plan, index) => new FleetAgent(index, plan));
  const failures: string[] = [];
  const answers: Extract<FleetReport, { type: 'states' }>[] = [];
  child.on('message', (message) => {
    const report = message as FleetReport;
    if (report.type === 'states') answers.push(report);
    else if (report.type === 'held') onHeld(report);
    else if (report.type === 'ended') failures.push(`agent ${report.index} ended: ${report.error}`);
    else note(agents[report.index], report);
  });
  child.once('exit', (code) => failures.push(`the agents' process ended with ${String(code)}`));
  const command = (wanted: FleetCommand): void => {
    child.send(wanted);
  };
  command({ type: 'start', plan: { authPorts, agents: plans } });
  const until = async (what: string, done: () => boolean, timeoutMs: number): Promise<void> => {
    await waitFor(what, () => failures.length > 0 || done(), { timeoutMs });
    if (failures[0] !== undefined) throw new Error(failures[0]);
  };
  return {
    agents,
    connected: (timeoutMs) =>
      until('every agent is connected', () => agents.every(({ authId }) => authId !== undefined), timeoutMs),
    async states() {
      command({ type: 'states' });
      await until('the agents answer', () => answers.length > 0, 30_000);
      const answer = answers.shift();
      if (answer === undefined) throw new Error('the agents did not answer');
      return answer;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function note(
  agent: FleetAgent | undefined,
  report: Extract<FleetReport, { type: 'connected' | 'disconnected' }>,
): void {
  if (agent === undefined) return;
  const { at } = report;
  if (report.type === 'connected') {
    agent.authId = report.authId;
    agent.connects.push({ authId: report.authId, at });
  } else {
    agent.authId = undefined;
    agent.disconnects.push({ reason: report.reason, at });
  }
}

/** Of these states, those that something is not true of; for a message that says which. */
export function namesWhere(
  agents: readonly FleetAgent[],
  states: readonly AgentState[],
  wrong: (state: AgentState) => boolean,
): string[] {
  return agents.filter(({ index }) => wrong(stateAt(states, index))).map(({ id }) => id);
}

export function stateAt(states: readonly AgentState[], index: number): AgentState {
  const state = states[index];
  if (state === undefined) throw new RangeError(`there is no agent ${index}`);
  return state;
}

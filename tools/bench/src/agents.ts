import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { InstanceKey } from '@tagplane/identity';
import { waitFor } from '@tagplane/harness';

export type AgentsReport =
  | { readonly type: 'connected' }
  | {
      readonly type: 'acked';
      readonly index: number;
      readonly generation: number;
      /** When the ack was written: Unix milliseconds with a fraction. */
      readonly at: number;
    }
  | { readonly type: 'failed'; readonly index: number; readonly error: string };

export interface AgentsOptions {
  readonly port: number;
  readonly count: number;
  /** The number of the first one. Default 0. */
  readonly first?: number;
  /** Whose agents they are; default those of `instanceNumber`. */
  readonly instances?: readonly InstanceKey[];
  /** The label whose value begins with the generation; default any. */
  readonly label?: string;
  /** Of `TlsFleet`, for agents that speak mutual TLS. */
  readonly fleetFile?: string;
}

export interface Agents extends AsyncDisposable {
  /** Resolves when every agent has acknowledged this generation; fails when an agent's stream ends. */
  acked(generation: number): Promise<void>;
  /** Calls back for each ack. */
  onAck(listener: (ack: Extract<AgentsReport, { type: 'acked' }>) => void): void;
  /** Every agent leaves and comes back; resolves when all have been greeted again. */
  reconnect(): Promise<void>;
}

/** Many bare agents in a process of their own; resolves when all have been greeted. */
export async function startAgents(options: AgentsOptions): Promise<Agents> {
  const module = fileURLToPath(new URL('./workers/agents.ts', import.meta.url));
  const child = fork(module, [JSON.stringify(options)], {
    execArgv: ['--conditions=@tagplane/source'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const latest = new Map<number, number>();
  const listeners: ((ack: Extract<AgentsReport, { type: 'acked' }>) => void)[] = [];
  let connected = false;
  let failure: string | undefined;
  child.on('message', (message) => {
    const report = message as AgentsReport;
    if (report.type === 'connected') connected = true;
    else if (report.type === 'failed') failure ??= `agent ${report.index}: ${report.error}`;
    else {
      latest.set(report.index, report.generation);
      for (const listener of listeners) listener(report);
    }
  });
  const until = async (what: string, done: () => boolean): Promise<void> => {
    await waitFor(what, () => failure !== undefined || done(), { timeoutMs: 180_000, everyMs: 5 });
    if (failure !== undefined) throw new Error(failure);
  };
  await until('all agents are connected', () => connected);
  return {
    acked: (generation) =>
      until(`all agents acknowledged generation ${generation}`, () => {
        if (latest.size < options.count) return false;
        for (const held of latest.values()) if (held !== generation) return false;
        return true;
      }),
    onAck: (listener) => listeners.push(listener),
    async reconnect() {
      connected = false;
      child.send('reconnect');
      await until('all agents are connected again', () => connected);
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** An instance's SSM agent: `none` has never registered. */
export type SsmAgentState = 'online' | 'offline' | 'none';

/** A command as one instance gets it. */
export interface DeliveredCommand {
  readonly commandId: string;
  readonly account: string;
  readonly region: string;
  readonly instance: string;
  readonly document: string;
  readonly parameters: Readonly<Record<string, readonly string[]>>;
}

/** How a command ends on an instance. */
export interface CommandOutcome {
  readonly status: 'Success' | 'Failed' | 'TimedOut';
  readonly output?: string | undefined;
  readonly error?: string | undefined;
  /** Default 0 for Success, else 1. */
  readonly exitCode?: number | undefined;
}

/** Carries out a command, as the instance would. The signal fires when it is cancelled or the simulator ends. */
export type CommandHandler = (
  command: DeliveredCommand,
  signal: AbortSignal,
) => CommandOutcome | Promise<CommandOutcome>;

/** What becomes of the next command, or of the next for one instance. */
export interface ScriptedResult {
  /** Default: any. */
  readonly instance?: string | undefined;
  /** `never`: it is delivered and nothing more is heard of it. */
  readonly outcome: CommandOutcome | 'never';
  /** From delivery to its end, in milliseconds. Default 0. */
  readonly delayMs?: number | undefined;
  /** How many commands. Default 1. */
  readonly count?: number | undefined;
}

/** A command on one instance. */
export interface Invocation {
  readonly command: DeliveredCommand;
  readonly comment: string;
  readonly requestedAt: number;
  /** When an instance that is offline has not come back by then, the command is not delivered any more. */
  readonly deliverBy: number;
  delivered: boolean;
  cancelled: boolean;
  /** What came, or will come of it, and when. */
  end: { readonly at: number; readonly outcome: CommandOutcome } | undefined;
  readonly stop: AbortController;
}

export interface InvocationStatus {
  readonly status: 'Pending' | 'InProgress' | 'Success' | 'Failed' | 'TimedOut' | 'Cancelled';
  readonly details: string;
  readonly outcome: CommandOutcome | undefined;
}

/** How an invocation stands; time alone ends what waits for an instance that is offline. */
export function statusOf(invocation: Invocation, now: number): InvocationStatus {
  const { cancelled, delivered, deliverBy, end } = invocation;
  const outcome = end !== undefined && now >= end.at ? end.outcome : undefined;
  if (outcome !== undefined) {
    const details = outcome.status === 'TimedOut' ? 'ExecutionTimedOut' : outcome.status;
    return { status: outcome.status, details, outcome };
  }
  if (cancelled) return { status: 'Cancelled', details: 'Cancelled', outcome: undefined };
  if (delivered) return { status: 'InProgress', details: 'InProgress', outcome: undefined };
  if (now < deliverBy) return { status: 'Pending', details: 'Pending', outcome: undefined };
  return { status: 'TimedOut', details: 'DeliveryTimedOut', outcome: undefined };
}

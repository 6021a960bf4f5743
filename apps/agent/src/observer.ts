/** Told what an agent does; for metrics, and for hosts that measure. */
export interface AgentObserver {
  /** Both hellos are exchanged. */
  connected(authId: string): void;
  /** A stream that was connected, or was to be, is gone. */
  disconnected(reason: string): void;
  heartbeatSent(): void;
  /** An update was answered; `problem` when it was refused. */
  updateAnswered(kind: 'replace' | 'renew' | 'unknown', revision: string, problem: string | undefined): void;
  unknownMessage(): void;
}

/** Tells each of them, in turn; a part that one leaves out is skipped. */
export function tellAll(observers: readonly Partial<AgentObserver>[]): AgentObserver {
  return {
    connected(authId) {
      for (const observer of observers) observer.connected?.(authId);
    },
    disconnected(reason) {
      for (const observer of observers) observer.disconnected?.(reason);
    },
    heartbeatSent() {
      for (const observer of observers) observer.heartbeatSent?.();
    },
    updateAnswered(kind, revision, problem) {
      for (const observer of observers) observer.updateAnswered?.(kind, revision, problem);
    },
    unknownMessage() {
      for (const observer of observers) observer.unknownMessage?.();
    },
  };
}

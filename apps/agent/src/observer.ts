import type { OfferedRoles } from '@tagplane/session';
import type { TagsAnswer } from './own/ask-tags.ts';

/** Told what an agent does; for metrics, and for hosts that measure. */
export interface AgentObserver {
  /** Both hellos are exchanged. */
  connected(authId: string): void;
  /** A stream that was connected, or was to be, is gone. */
  disconnected(reason: string): void;
  heartbeatSent(): void;
  /** An update was answered; `problem` when it was refused. */
  updateAnswered(kind: 'replace' | 'renew' | 'unknown', revision: string, problem: string | undefined): void;
  /** The same of roles. */
  rolesAnswered(kind: OfferedRoles['change']['kind'], revision: string, problem: string | undefined): void;
  unknownMessage(): void;
  /** A label's command was run. */
  commandRan(label: string, result: 'ok' | 'failed'): void;
  /** Instance metadata was asked for tags. */
  tagsAsked(result: TagsAnswer['kind']): void;
  /** Somebody asked whether a login is allowed. */
  decided(result: 'allowed' | 'denied'): void;
}

/** Tells each of them, in turn; a part that one leaves out is skipped. */
export function tellAll(observers: readonly Partial<AgentObserver>[]): AgentObserver {
  return new Everyone(observers);
}

/** A class, so that an agent has no functions of its own for this: one process may run thousands. */
class Everyone implements AgentObserver {
  readonly #observers: readonly Partial<AgentObserver>[];

  constructor(observers: readonly Partial<AgentObserver>[]) {
    this.#observers = observers;
  }

  connected(authId: string): void {
    for (const observer of this.#observers) observer.connected?.(authId);
  }

  disconnected(reason: string): void {
    for (const observer of this.#observers) observer.disconnected?.(reason);
  }

  heartbeatSent(): void {
    for (const observer of this.#observers) observer.heartbeatSent?.();
  }

  updateAnswered(...answer: Parameters<AgentObserver['updateAnswered']>): void {
    for (const observer of this.#observers) observer.updateAnswered?.(...answer);
  }

  rolesAnswered(...answer: Parameters<AgentObserver['rolesAnswered']>): void {
    for (const observer of this.#observers) observer.rolesAnswered?.(...answer);
  }

  unknownMessage(): void {
    for (const observer of this.#observers) observer.unknownMessage?.();
  }

  commandRan(label: string, result: 'ok' | 'failed'): void {
    for (const observer of this.#observers) observer.commandRan?.(label, result);
  }

  tagsAsked(result: TagsAnswer['kind']): void {
    for (const observer of this.#observers) observer.tagsAsked?.(result);
  }

  decided(result: 'allowed' | 'denied'): void {
    for (const observer of this.#observers) observer.decided?.(result);
  }
}

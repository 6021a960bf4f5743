import type { AgentSession } from './agent-session.ts';

/** The sessions of this process: every open stream, and those that speak for a server id. */
export class SessionRegistry {
  readonly #open = new Set<AgentSession>();
  readonly #byServerId = new Map<string, AgentSession>();
  /** By key of the node's ServerInfo. Nearly always one, so that most entries need no array. */
  readonly #byInstance = new Map<string, AgentSession | readonly AgentSession[]>();

  get open(): ReadonlySet<AgentSession> {
    return this.#open;
  }

  /** Sessions whose hello was taken. */
  get size(): number {
    return this.#byServerId.size;
  }

  registered(): IterableIterator<AgentSession> {
    return this.#byServerId.values();
  }

  get(serverId: string): AgentSession | undefined {
    return this.#byServerId.get(serverId);
  }

  withInstance(instanceKey: string): readonly AgentSession[] {
    const found = this.#byInstance.get(instanceKey);
    if (found === undefined) return NONE;
    return found instanceof Array ? found : [found];
  }

  /** Whether any session's node is this instance. */
  hasInstance(instanceKey: string): boolean {
    return this.#byInstance.has(instanceKey);
  }

  add(session: AgentSession): void {
    this.#open.add(session);
  }

  /**
   * The session speaks for its server id from now on.
   *
   * @returns the session that did before
   */
  register(session: AgentSession): AgentSession | undefined {
    const before = this.#byServerId.get(session.serverId);
    if (before !== undefined) this.#removeInstance(before, before.instanceKey);
    this.#byServerId.set(session.serverId, session);
    this.#addInstance(session);
    return before;
  }

  /** The session's instance is another one than `before`. */
  rekey(session: AgentSession, before: string | undefined): void {
    this.#removeInstance(session, before);
    if (this.#byServerId.get(session.serverId) === session) this.#addInstance(session);
  }

  remove(session: AgentSession): void {
    this.#open.delete(session);
    if (this.#byServerId.get(session.serverId) !== session) return;
    this.#byServerId.delete(session.serverId);
    this.#removeInstance(session, session.instanceKey);
  }

  #addInstance(session: AgentSession): void {
    const key = session.instanceKey;
    if (key === undefined) return;
    const others = this.withInstance(key);
    this.#byInstance.set(key, others.length === 0 ? session : [...others, session]);
  }

  #removeInstance(session: AgentSession, key: string | undefined): void {
    if (key === undefined) return;
    const [first, ...rest] = this.withInstance(key).filter((other) => other !== session);
    if (first === undefined) this.#byInstance.delete(key);
    else this.#byInstance.set(key, rest.length === 0 ? first : [first, ...rest]);
  }
}

const NONE: readonly AgentSession[] = [];

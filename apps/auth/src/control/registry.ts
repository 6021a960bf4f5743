import type { AgentSession } from './agent-session.ts';

/** A session, as far as a registry looks at it. */
export interface Registered {
  readonly serverId: string;
  readonly instanceKey: string | undefined;
}

/** The sessions of this process: every open stream, and those that speak for a server id. */
export class SessionRegistry<Session extends Registered = AgentSession> {
  readonly #open = new Set<Session>();
  readonly #byServerId = new Map<string, Session>();
  /** By key of the node's ServerInfo. Nearly always one, so that most entries need no array. */
  readonly #byInstance = new Map<string, Session | readonly Session[]>();

  get open(): ReadonlySet<Session> {
    return this.#open;
  }

  /** Sessions whose hello was taken. */
  get size(): number {
    return this.#byServerId.size;
  }

  registered(): IterableIterator<Session> {
    return this.#byServerId.values();
  }

  get(serverId: string): Session | undefined {
    return this.#byServerId.get(serverId);
  }

  withInstance(instanceKey: string): readonly Session[] {
    const found = this.#byInstance.get(instanceKey);
    if (found === undefined) return NONE;
    return found instanceof Array ? found : [found];
  }

  add(session: Session): void {
    this.#open.add(session);
  }

  /**
   * The session speaks for its server id from now on.
   *
   * @returns the session that did before
   */
  register(session: Session): Session | undefined {
    const before = this.#byServerId.get(session.serverId);
    if (before !== undefined) this.#removeInstance(before, before.instanceKey);
    this.#byServerId.set(session.serverId, session);
    this.#addInstance(session);
    return before;
  }

  /** The session's instance is another one than `before`. */
  rekey(session: Session, before: string | undefined): void {
    this.#removeInstance(session, before);
    if (this.#byServerId.get(session.serverId) === session) this.#addInstance(session);
  }

  remove(session: Session): void {
    this.#open.delete(session);
    if (this.#byServerId.get(session.serverId) !== session) return;
    this.#byServerId.delete(session.serverId);
    this.#removeInstance(session, session.instanceKey);
  }

  #addInstance(session: Session): void {
    const key = session.instanceKey;
    if (key === undefined) return;
    const others = this.withInstance(key);
    this.#byInstance.set(key, others.length === 0 ? session : [...others, session]);
  }

  #removeInstance(session: Session, key: string | undefined): void {
    if (key === undefined) return;
    const [first, ...rest] = this.withInstance(key).filter((other) => other !== session);
    if (first === undefined) this.#byInstance.delete(key);
    else this.#byInstance.set(key, rest.length === 0 ? first : [first, ...rest]);
  }
}

const NONE: readonly never[] = [];

import type { CompiledSelector, Labels } from '@tagplane/labels';
import { compileSelector } from '@tagplane/labels';
import { discoveredName } from './names.ts';
import { serverInfoKey } from './keys.ts';
import { SelectorIndex } from './selector-index.ts';
import type { Match, ServerInfo } from './server-info.ts';

/** Whom ServerInfos of operators are looked up for. */
export interface AssignedSubject {
  readonly serverId: string;
  /** Key of the ServerInfo of its instance (`serverInfoKey`); undefined: it is none, or none that counts. */
  readonly instanceKey: string | undefined;
}

/** Those that concern one node; each list in the order of names. */
export interface AssignedFor {
  readonly byInstance: readonly ServerInfo[];
  readonly byServerId: readonly ServerInfo[];
  /** Those whose selector holds for these labels; undefined: there are no selectors at all. */
  readonly select: ((labels: Labels) => readonly SelectedServerInfo[]) | undefined;
}

export interface SelectedServerInfo {
  readonly source: ServerInfo;
  /** Its selector names a key under `aws/`. */
  readonly restsOnAws: boolean;
}

interface SelectorEntry extends SelectedServerInfo {
  readonly compiled: CompiledSelector;
}

/**
 * The ServerInfos of operators, found by server id, by instance and by selector. Selectors are compiled once,
 * when they are put.
 */
export class AssignedSet {
  readonly #byName = new Map<string, ServerInfo>();
  readonly #byTarget = new Map<string, readonly ServerInfo[]>();
  readonly #selectors = new Map<string, SelectorEntry>();
  readonly #index = new SelectorIndex<SelectorEntry>();

  /** @throws SelectorError for a selector that is no good */
  static of(infos: Iterable<ServerInfo>): AssignedSet {
    const set = new AssignedSet();
    for (const info of infos) set.put(info);
    return set;
  }

  get size(): number {
    return this.#byName.size;
  }

  /** Of those that match by selector. */
  get selectorCount(): number {
    return this.#selectors.size;
  }

  get(name: string): ServerInfo | undefined {
    return this.#byName.get(name);
  }

  /** All of them, in no order. */
  values(): IterableIterator<ServerInfo> {
    return this.#byName.values();
  }

  /** Those that match by selector, in no order. */
  *selectorInfos(): Generator<ServerInfo> {
    for (const { source } of this.#selectors.values()) yield source;
  }

  /**
   * Puts one in the place of that with the same name.
   *
   * @throws SelectorError for a selector that is no good; then nothing has changed
   */
  put(info: ServerInfo): void {
    const { name, match } = info;
    if (match.kind === 'selector') {
      const entry = selectorEntry(info, compileSelector(match.selector));
      this.remove(name);
      this.#selectors.set(name, entry);
      this.#index.add(entry);
    } else {
      this.remove(name);
      const target = targetOf(match);
      this.#byTarget.set(target, [...(this.#byTarget.get(target) ?? NONE), info].sort(byName));
    }
    this.#byName.set(name, info);
  }

  remove(name: string): void {
    const info = this.#byName.get(name);
    if (info === undefined) return;
    this.#byName.delete(name);
    if (info.match.kind === 'selector') this.#removeSelector(name);
    else this.#removeNamed(info, targetOf(info.match));
  }

  /** Another set with these changes; this one stays as it is. @throws SelectorError */
  with(changes: { readonly put?: readonly ServerInfo[]; readonly removed?: readonly string[] }): AssignedSet {
    const set = AssignedSet.of(this.#byName.values());
    for (const name of changes.removed ?? []) set.remove(name);
    for (const info of changes.put ?? []) set.put(info);
    return set;
  }

  /**
   * Those for this node. One that is past its end and still here was lost by the store, or the store is away:
   * the node's own clock has ended it too, with all labels beside it.
   *
   * @param now Unix milliseconds
   */
  forNode({ serverId, instanceKey }: AssignedSubject, now: number): AssignedFor {
    return {
      byInstance: instanceKey === undefined ? NONE : this.#notEnded(instanceKey, now),
      byServerId: this.#notEnded(serverId, now),
      select: this.#selectors.size === 0 ? undefined : (labels) => this.#select(labels, now),
    };
  }

  #removeSelector(name: string): void {
    const entry = this.#selectors.get(name);
    if (entry !== undefined) this.#index.remove(entry);
    this.#selectors.delete(name);
  }

  #removeNamed(info: ServerInfo, target: string): void {
    const rest = (this.#byTarget.get(target) ?? NONE).filter((other) => other !== info);
    if (rest.length === 0) this.#byTarget.delete(target);
    else this.#byTarget.set(target, rest);
  }

  #select(labels: Labels, now: number): readonly SelectedServerInfo[] {
    return this.#index
      .matching(labels)
      .filter(({ source }) => !hasEnded(source, now))
      .sort((a, b) => byName(a.source, b.source));
  }

  #notEnded(target: string, now: number): readonly ServerInfo[] {
    const infos = this.#byTarget.get(target) ?? NONE;
    return infos.some((info) => hasEnded(info, now)) ? infos.filter((info) => !hasEnded(info, now)) : infos;
  }
}

const NONE: readonly ServerInfo[] = [];

function selectorEntry(source: ServerInfo, compiled: CompiledSelector): SelectorEntry {
  return { source, compiled, restsOnAws: compiled.keys.some((key) => key.startsWith('aws/')) };
}

function byName(a: ServerInfo, b: ServerInfo): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function hasEnded({ expiresAt }: ServerInfo, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}

/** A server id holds no `/`; a key of the ServerInfo store holds one. */
function targetOf(match: Exclude<Match, { readonly kind: 'selector' }>): string {
  return match.kind === 'server-id' ? match.serverId : serverInfoKey(discoveredName(match.instance));
}

/** Every set of tags that EC2 ever gave an instance, as text that is equal for equal sets. */
export class History {
  readonly #sets = new Map<string, Set<string>>();

  /** To be called before EC2 gets to have it. */
  record(instance: string, tags: ReadonlyMap<string, string>): void {
    let sets = this.#sets.get(instance);
    if (sets === undefined) {
      sets = new Set();
      this.#sets.set(instance, sets);
    }
    sets.add(canonical(tags));
  }

  had(instance: string, tags: ReadonlyMap<string, string>): boolean {
    return this.#sets.get(instance)?.has(canonical(tags)) ?? false;
  }
}

export function canonical(tags: ReadonlyMap<string, string>): string {
  return JSON.stringify([...tags].sort(([a], [b]) => (a < b ? -1 : 1)));
}

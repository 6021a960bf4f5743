/** What became of one change. */
type Fate = { readonly kind: 'arrived' | 'superseded'; readonly afterMs: number } | { readonly kind: 'lost' };

export interface ChangeFigures {
  readonly changes: number;
  /** Changes whose very value was held by the agent. */
  readonly arrived: number;
  /** Changes whose value was never held, but that of a newer one. */
  readonly superseded: number;
  readonly lost: number;
  /** Values held that are older than one held before. */
  readonly backwards: number;
  readonly medianMs: number;
  readonly longestMs: number;
}

interface Mark {
  readonly turn: number;
  readonly at: number;
}

/** Every change of a label by node, and every value that its agent has held. Times in milliseconds. */
export class ChangeBook {
  readonly #written = new Map<number, Mark[]>();
  readonly #held = new Map<number, Mark[]>();

  /** To be called before the write begins; the turns of one node rise. */
  wrote(node: number, turn: number, at: number): void {
    append(this.#written, node, { turn, at });
  }

  held(node: number, turn: number, at: number): void {
    append(this.#held, node, { turn, at });
  }

  /** The value that a node should have now. */
  latest(node: number): number | undefined {
    return this.#written.get(node)?.at(-1)?.turn;
  }

  /** Whether every node holds what was written last. */
  get settled(): boolean {
    return [...this.#written.keys()].every(
      (node) => this.#held.get(node)?.at(-1)?.turn === this.latest(node),
    );
  }

  /** Of the changes that began at this time or later, and before that one. */
  figures(from = -Infinity, until = Infinity): ChangeFigures {
    const fates = [...this.#written].flatMap(([node, marks]) =>
      marks
        .filter(({ at }) => at >= from && at < until)
        .map((mark) => fateOf(mark, this.#held.get(node) ?? [])),
    );
    const times = fates.flatMap((fate) => (fate.kind === 'lost' ? [] : fate.afterMs)).sort((a, b) => a - b);
    const count = (kind: Fate['kind']): number => fates.filter((fate) => fate.kind === kind).length;
    return {
      changes: fates.length,
      arrived: count('arrived'),
      superseded: count('superseded'),
      lost: count('lost'),
      backwards: [...this.#held.values()].reduce((sum, marks) => sum + backwards(marks), 0),
      medianMs: times[Math.floor(times.length / 2)] ?? Number.NaN,
      longestMs: times.at(-1) ?? Number.NaN,
    };
  }
}

function fateOf({ turn, at }: Mark, held: readonly Mark[]): Fate {
  const first = held.find((mark) => mark.turn >= turn);
  if (first === undefined) return { kind: 'lost' };
  return { kind: first.turn === turn ? 'arrived' : 'superseded', afterMs: first.at - at };
}

function backwards(marks: readonly Mark[]): number {
  return marks.filter(({ turn }, index) => turn < (marks[index - 1]?.turn ?? -Infinity)).length;
}

function append(marks: Map<number, Mark[]>, node: number, mark: Mark): void {
  const known = marks.get(node);
  if (known === undefined) marks.set(node, [mark]);
  else known.push(mark);
}

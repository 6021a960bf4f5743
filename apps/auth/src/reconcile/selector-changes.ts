import { compileSelector, equalLabels } from '@tagplane/labels';
import type { CompiledSelector, Labels } from '@tagplane/labels';
import type { ServerInfo } from '@tagplane/serverinfo';
import type { AssignedChange } from './assigned-index.ts';

/** A change of one ServerInfo that matches by selector, before it, after it, or both. */
interface Compiled {
  readonly before: CompiledSelector | undefined;
  readonly after: CompiledSelector | undefined;
  /** It gives a node that both pick the same labels for the same time. */
  readonly same: boolean;
}

/** Tells the nodes that changes of selectors concern from those that they do not. */
export class SelectorChanges {
  readonly #changes: readonly Compiled[];

  constructor(changes: readonly AssignedChange[]) {
    this.#changes = changes.flatMap(({ before, after }) => {
      const compiled = { before: compiledOf(before), after: compiledOf(after) };
      if (compiled.before === undefined && compiled.after === undefined) return [];
      return [{ ...compiled, same: isSame(before, after) }];
    });
  }

  get none(): boolean {
    return this.#changes.length === 0;
  }

  /** @param labels those that selectors see of the node */
  concern(labels: Labels): boolean {
    return this.#changes.some(({ before, after, same }) => {
      const picked = before?.matches(labels) === true;
      const picks = after?.matches(labels) === true;
      return picked === picks ? picks && !same : true;
    });
  }
}

function compiledOf(info: ServerInfo | undefined): CompiledSelector | undefined {
  return info?.match.kind === 'selector' ? compileSelector(info.match.selector) : undefined;
}

function isSame(before: ServerInfo | undefined, after: ServerInfo | undefined): boolean {
  return (
    before !== undefined &&
    after !== undefined &&
    before.observedAt === after.observedAt &&
    before.expiresAt === after.expiresAt &&
    restsOnAws(before) === restsOnAws(after) &&
    equalLabels(before.labels, after.labels)
  );
}

/** Whether its labels end with those under `aws/`. */
function restsOnAws({ match }: ServerInfo): boolean {
  return match.kind === 'selector' && match.selector.terms.some(({ key }) => key.startsWith('aws/'));
}

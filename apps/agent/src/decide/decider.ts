import { decide, refusal } from '@tagplane/access';
import type { AccessRequest, CompiledRoles, Decision, NodeLabels } from '@tagplane/access';
import { elapsedMs } from '@tagplane/session';
import type { ClockReading } from '@tagplane/session';
import type { Clock } from '../clock.ts';
import type { LabelFacts } from '../label-sets.ts';
import { nodeLabels } from './node-labels.ts';

/** The roles to decide by now. The reason why there are none is for a person. */
export type RolesInForce =
  | { readonly kind: 'held'; readonly roles: CompiledRoles }
  | { readonly kind: 'none'; readonly reason: string };

export interface DeciderOptions {
  readonly roles: () => RolesInForce;
  readonly labels: () => LabelFacts;
  /** Differs when what `labels` tells is not only older than before. */
  readonly version: () => string;
  readonly clock: Clock;
}

interface Known {
  readonly version: string;
  readonly labels: NodeLabels;
  /** When the labels' own clock was at 0. */
  readonly since: ClockReading;
}

/** Answers who may log in on this node, out of what the agent holds and nothing else. */
export class Decider {
  readonly #options: DeciderOptions;
  #known: Known | undefined;

  constructor(options: DeciderOptions) {
    this.#options = options;
  }

  decide(request: AccessRequest): Decision {
    const inForce = this.#options.roles();
    if (inForce.kind === 'none') return refusal(inForce.reason);
    const now = this.#options.clock();
    const { labels, since } = this.#labels(now);
    return decide(labels, inForce.roles, request, elapsedMs(since, now));
  }

  /** The same object as long as the labels only grow older: verdicts on them are kept by it. */
  #labels(now: ClockReading): Known {
    const version = this.#options.version();
    if (this.#known?.version !== version) {
      this.#known = { version, labels: nodeLabels(this.#options.labels()), since: now };
    }
    return this.#known;
  }
}

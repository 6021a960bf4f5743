import type { CompiledRoles } from './compiled-roles.ts';
import type { Decision, DecisionReason } from './decision.ts';
import { explainDenied, explainGranted, explainNotGranted } from './explain.ts';
import type { Traits } from './login.ts';
import type { NodeLabels } from './node-labels.ts';

/** Who wants in. */
export interface AccessRequest {
  /** The operating system's user. */
  readonly login: string;
  /** Names of the roles that the user holds, in any order. Those that are not there do not count. */
  readonly roles: readonly string[];
  readonly traits: Traits;
}

/**
 * Whether the holder of these roles may log in on this node now. A role allows by a rule for the login whose
 * selector is true; any deny rule for the login, of any role held, whose selector is not false refuses.
 * docs/access.md has the truth table.
 *
 * @param now on the clock of the labels' times
 */
export function decide(
  labels: NodeLabels,
  roles: CompiledRoles,
  request: AccessRequest,
  now: number,
): Decision {
  const { login, traits } = request;
  const verdicts = roles.verdictsOn(labels);
  const granting: number[] = [];
  let denied = login === '';
  for (const name of request.roles) {
    const index = roles.indexOf(name);
    if (index === undefined) continue;
    const { grants, denies } = verdicts.of(index, now);
    for (const rule of denies) if (rule.matchesLogin(login, traits)) denied = true;
    if (denied) break;
    for (const rule of grants) {
      if (!rule.matchesLogin(login, traits)) continue;
      granting.push(index);
      break;
    }
  }
  const asked = { labels, roles, request, now };
  if (denied) return new LazyDecision([], () => explainDenied(asked));
  if (granting.length === 0) return new LazyDecision([], () => explainNotGranted(asked));
  return new LazyDecision(namesOf(roles, granting), () => explainGranted(asked));
}

function namesOf(roles: CompiledRoles, indexes: readonly number[]): string[] {
  const ordered = [...new Set(indexes)].sort((a, b) => a - b);
  return ordered.map((index) => roles.list[index]?.role.name ?? '');
}

/** Most who ask want no reason; it takes longer to find than the decision. */
class LazyDecision implements Decision {
  readonly grantedBy: readonly string[];
  readonly #explain: () => DecisionReason;
  #reason: DecisionReason | undefined;

  constructor(grantedBy: readonly string[], explain: () => DecisionReason) {
    this.grantedBy = grantedBy;
    this.#explain = explain;
  }

  get allowed(): boolean {
    return this.grantedBy.length > 0;
  }

  get reason(): DecisionReason {
    return (this.#reason ??= this.#explain());
  }
}

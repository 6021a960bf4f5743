import type { CompiledRoles } from './compiled-roles.ts';
import type { Decision, DecisionReason } from './decision.ts';
import { explainDenied, explainGranted, explainNotGranted } from './explain.ts';
import { DENIES, GRANTS, NOTHING } from './login-verdicts.ts';
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
  if (request.login === '') return new Decided('denied', NO_ROLES, labels, roles, request, now);
  const grantedBy = rolesThatGrant(labels, roles, request, now);
  const cause = grantedBy === undefined ? 'denied' : grantedBy.length === 0 ? 'not-granted' : 'granted';
  return new Decided(cause, grantedBy ?? NO_ROLES, labels, roles, request, now);
}

const NO_ROLES: readonly string[] = [];

/** Ordered by name, each once; undefined: one of those held denies. */
function rolesThatGrant(
  labels: NodeLabels,
  roles: CompiledRoles,
  { login, traits, roles: held }: AccessRequest,
  now: number,
): readonly string[] | undefined {
  const verdicts = roles.verdictsOn(labels).forLogin(login, now);
  verdicts.ask(traits);
  const { answers, names } = roles;
  // At the beginning: what a request that failed has left behind would let in another.
  answers.fill(NOTHING);
  let all: number = NOTHING;
  let least = names.length;
  let most = -1;
  for (const name of held) {
    const index = roles.indexOf(name);
    if (index === undefined) continue;
    const answer = verdicts.of(index, now);
    if (answer === DENIES) return undefined;
    answers[index] = answer;
    all |= answer;
    if (index < least) least = index;
    if (index > most) most = index;
  }
  if (all === NOTHING) return NO_ROLES;
  // By their places, which are by name: sorting the names of each request would take longer than all the rest.
  const granting: string[] = [];
  for (let index = least; index <= most; index += 1) {
    if (answers[index] === GRANTS) granting.push(names[index] ?? '');
  }
  return granting;
}

/** Most who ask want no reason; it takes longer to find than the decision. */
class Decided implements Decision {
  readonly allowed: boolean;
  readonly grantedBy: readonly string[];
  readonly #cause: 'granted' | 'denied' | 'not-granted';
  readonly #labels: NodeLabels;
  readonly #roles: CompiledRoles;
  readonly #request: AccessRequest;
  readonly #now: number;

  constructor(
    cause: 'granted' | 'denied' | 'not-granted',
    grantedBy: readonly string[],
    labels: NodeLabels,
    roles: CompiledRoles,
    request: AccessRequest,
    now: number,
  ) {
    this.allowed = grantedBy.length > 0;
    this.grantedBy = grantedBy;
    this.#cause = cause;
    this.#labels = labels;
    this.#roles = roles;
    this.#request = request;
    this.#now = now;
  }

  get reason(): DecisionReason {
    const asked = { labels: this.#labels, roles: this.#roles, request: this.#request, now: this.#now };
    if (this.#cause === 'granted') return explainGranted(asked);
    return this.#cause === 'denied' ? explainDenied(asked) : explainNotGranted(asked);
  }
}

import { instanceKeyText } from '@tagplane/identity';
import type { Role } from '@tagplane/identity';
import { namespaceOf, namespaceProblem, selectorProblem } from '@tagplane/labels';
import type { Namespace, Selector } from '@tagplane/labels';
import { DAY } from './durations.ts';
import { DISCOVERED_NAME_PREFIX, discoveredName, isAssignedName, parseDiscoveredName } from './names.ts';
import { rejectedProblem } from './rejected.ts';
import type { ServerInfoDraft } from './server-info.ts';

/**
 * `invalid`: malformed or beyond a limit, whoever sends it. `denied`: well-formed, but not this
 * writer's to say. The reason is for a person and never holds a label's value.
 */
export interface DraftProblem {
  readonly kind: 'invalid' | 'denied';
  readonly reason: string;
}

/** Discovery sets 80 to 90 min; a day leaves room for slower cadences and still ends by itself. */
export const MAX_DISCOVERED_TTL_MS = DAY;
/** Ten years: a finite bound, so that an expiry is a date that every client can write. */
export const MAX_ASSIGNED_TTL_MS = 3_650 * DAY;
/** EC2 opened in 2006: nothing was observed there before. */
const EARLIEST_OBSERVATION = Date.UTC(2006, 0, 1);
/** The last year that a protobuf Timestamp can write. */
const LATEST_OBSERVATION = Date.UTC(9999, 11, 31);

/** What is wrong with this draft from a writer of this role, or undefined when it may be stored. */
export function draftProblem(draft: ServerInfoDraft, role: Role): DraftProblem | undefined {
  switch (role) {
    case 'discovery':
      return discoveredProblem(draft);
    case 'operator':
      return assignedProblem(draft);
    case 'agent':
    case 'auth':
      return denied(`the role ${role} writes no ServerInfos`);
  }
}

function discoveredProblem(draft: ServerInfoDraft): DraftProblem | undefined {
  const { match } = draft;
  if (match.kind !== 'aws-instance' || draft.name !== discoveredName(match.instance)) {
    return misnamed(draft);
  }
  if (draft.ttlMs === undefined) return invalid('a discovered ServerInfo needs a ttl');
  if (draft.observedAt === undefined) return invalid('a discovered ServerInfo needs observed_at');
  const problem = rejectedProblem(draft.rejected ?? []);
  if (problem !== undefined) return invalid(problem);
  return commonProblem(draft, 'aws/', MAX_DISCOVERED_TTL_MS);
}

/** What is wrong with a name that is not the one of the instance matched. */
function misnamed(draft: ServerInfoDraft): DraftProblem {
  if (isAssignedName(draft.name)) {
    return denied(`discovery writes names that begin with ${DISCOVERED_NAME_PREFIX} only`);
  }
  if (parseDiscoveredName(draft.name) === undefined) {
    return invalid('the name is not aws-<account>-<region>-<instance>');
  }
  if (draft.match.kind !== 'aws-instance') {
    return invalid('a discovered ServerInfo matches an AWS instance');
  }
  return invalid(`the name is not that of the instance ${instanceKeyText(draft.match.instance)}`);
}

function assignedProblem(draft: ServerInfoDraft): DraftProblem | undefined {
  if (draft.name.startsWith(DISCOVERED_NAME_PREFIX)) {
    return denied(`names that begin with ${DISCOVERED_NAME_PREFIX} are discovery's`);
  }
  if (!isAssignedName(draft.name)) {
    return invalid(
      'the name is not 1 to 128 of letters, digits, ".", "_", "-", beginning with a letter or digit',
    );
  }
  if (draft.rejected !== undefined) return denied("rejected tags are discovery's to say");
  const { match } = draft;
  const problem = match.kind === 'selector' ? assignedSelectorProblem(match.selector) : undefined;
  if (problem !== undefined) return invalid(problem);
  return commonProblem(draft, 'dynamic/', MAX_ASSIGNED_TTL_MS);
}

/** A node says its own labels itself: by them it would say itself what operators assign to it. */
function assignedSelectorProblem(selector: Selector): string | undefined {
  const problem = selectorProblem(selector);
  if (problem !== undefined) return `the selector: ${problem}`;
  const foreign = selector.terms.find(({ key }) => key !== '*' && namespaceOf(key) === undefined);
  if (foreign === undefined) return undefined;
  return (
    `the selector names ${JSON.stringify(foreign.key)}: it sees labels under aws/ that discovery wrote and ` +
    'those under dynamic/ that are assigned by server id or instance; others a node says itself'
  );
}

function commonProblem(
  draft: ServerInfoDraft,
  namespace: Namespace,
  maxTtlMs: number,
): DraftProblem | undefined {
  const { labels, ttlMs, observedAt } = draft;
  for (const key of labels.keys()) {
    if (key.startsWith(namespace)) continue;
    const other = namespaceOf(key);
    if (other !== undefined) {
      return denied(`labels under ${other} are not this writer's; it writes ${namespace}`);
    }
  }
  const problem = namespaceProblem(namespace, labels);
  if (problem !== undefined) return invalid(problem);
  if (ttlMs !== undefined && !isWhole(ttlMs, 1, maxTtlMs)) {
    return invalid(`the ttl is not between 1 ms and ${maxTtlMs / 1_000} s`);
  }
  if (observedAt !== undefined && !isWhole(observedAt, EARLIEST_OBSERVATION, LATEST_OBSERVATION)) {
    return invalid('observed_at is before 2006 or after 9999');
  }
  return undefined;
}

function isWhole(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}

function denied(reason: string): DraftProblem {
  return { kind: 'denied', reason };
}

function invalid(reason: string): DraftProblem {
  return { kind: 'invalid', reason };
}

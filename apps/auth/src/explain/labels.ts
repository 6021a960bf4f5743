import type { Labels, Namespace } from '@tagplane/labels';
import type { ServerInfo } from '@tagplane/serverinfo';
import { labelStories } from '@tagplane/session';
import type { LabelStory, Layer, Span } from '@tagplane/session';
import type { ExplainFacts } from './facts.ts';

/** As in the protocol's LabelSource. */
export type Source = 'own' | 'imported' | 'discovered' | 'assigned';

/** Who says a label, and until when. Unix milliseconds. */
export interface Origin extends Span {
  readonly source: Source;
  /** The ServerInfo that it is from; undefined: it is from none, or none that is known. */
  readonly info: ServerInfo | undefined;
}

/** Where a label came from, and how far it got. */
export interface Explained {
  readonly key: string;
  readonly value: string;
  readonly state: 'held' | 'pending' | 'stale' | 'rejected';
  readonly origin: Origin;
  readonly overruled: readonly { readonly value: string; readonly origin: Origin; readonly reason: string }[];
  /** Why it is not held; empty when it is. */
  readonly reason: string;
}

/** One for each label that the node has, should have, or that does not count; in the order of keys. */
export function explainLabels(facts: ExplainFacts): Explained[] {
  const explained = [
    ...ownLabels(facts),
    ...wantedLabels(facts),
    ...leftovers(facts),
    ...importedLabels(facts),
    ...rejectedTags(facts),
  ];
  return explained.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

const NO_SPAN: Span = { observedAt: undefined, expiresAt: undefined };
const OWN: Origin = { source: 'own', info: undefined, ...NO_SPAN };
const IMPORTED: Origin = { source: 'imported', info: undefined, ...NO_SPAN };

function ownLabels({ record }: ExplainFacts): Explained[] {
  return [...(record?.own ?? [])].map(([key, value]) => held(key, value, OWN));
}

function held(key: string, value: string, origin: Origin): Explained {
  return { key, value, state: 'held', origin, overruled: [], reason: '' };
}

function wantedLabels(facts: ExplainFacts): Explained[] {
  const { wanted } = facts;
  if (wanted.state === 'keep') return [];
  return labelStories(wanted).map((story) => explainStory(story, facts));
}

function explainStory(story: LabelStory, facts: ExplainFacts): Explained {
  const { key, value, speaker } = story;
  const origin =
    speaker.by === 'discovery' ? discoveredOrigin(facts, speaker.span) : layerOrigin(speaker, facts);
  const imported = speaker.by === 'discovery' ? facts.record?.imported.get(key) : undefined;
  const overruled = [
    ...story.overruled.map((word) => ({
      value: word.value,
      origin: layerOrigin(word.layer, facts),
      reason: `${originName(origin)} comes after it`,
    })),
    ...(imported === undefined || imported === value
      ? []
      : [{ value: imported, origin: IMPORTED, reason: 'discovery speaks for the instance' }]),
  ];
  const stands = story.omitted
    ? ({ state: 'rejected', reason: 'the node has more labels of operators than are kept' } as const)
    : standing(key, value, facts);
  return { key, value, origin, overruled, ...stands };
}

function standing(
  key: string,
  value: string,
  { record, now }: ExplainFacts,
): Pick<Explained, 'state' | 'reason'> {
  if (record === undefined) return { state: 'pending', reason: 'no agent speaks for the node' };
  const namespace = namespaceIn(key);
  const known = record.acked.sets[namespace]?.get(key);
  const expiresAt = record.acked.spans[namespace]?.expiresAt;
  if (known === value) {
    if (expiresAt === undefined || expiresAt > now) return { state: 'held', reason: '' };
    return { state: 'stale', reason: 'its lifetime has run out on the node' };
  }
  const has = known === undefined ? '' : `; the agent holds ${JSON.stringify(known)}`;
  const why = record.connected ? 'not acknowledged yet' : 'the agent is not connected';
  return { state: 'pending', reason: why + has };
}

/** What the agent holds and should not have any more. */
function leftovers(facts: ExplainFacts): Explained[] {
  const { record, wanted, now } = facts;
  if (record === undefined) return [];
  const spans = record.acked.spans;
  const sources: readonly [Namespace, Source][] = [
    ['aws/', 'discovered'],
    ['dynamic/', 'assigned'],
  ];
  return sources.flatMap(([namespace, source]) => {
    const wants: Labels | undefined = wanted.state === 'keep' ? undefined : wanted.sets[namespace]?.labels;
    const span = spans[namespace] ?? NO_SPAN;
    const ended = span.expiresAt !== undefined && span.expiresAt <= now;
    const reason = wanted.state === 'keep' ? '' : 'nobody says it any more; it is to be taken away';
    return [...(record.acked.sets[namespace] ?? [])]
      .filter(([key]) => wants?.has(key) !== true)
      .map(([key, value]): Explained => {
        const { observedAt, expiresAt } = span;
        const origin: Origin = { source, info: undefined, observedAt, expiresAt };
        return { key, value, state: ended ? 'stale' : 'held', origin, overruled: [], reason };
      });
  });
}

/** Those of instance metadata that count, and those that another authority leaves no place for. */
function importedLabels({ record, wanted }: ExplainFacts): Explained[] {
  if (record === undefined) return [];
  if (record.acked.sets['aws/'] === undefined) {
    return [...record.imported].map(([key, value]) => held(key, value, IMPORTED));
  }
  const says = wanted.state === 'keep' ? record.acked.sets['aws/'] : wanted.sets['aws/']?.labels;
  const reason = 'discovery speaks for the instance, and does not say it';
  return [...record.imported]
    .filter(([key]) => says?.has(key) !== true && record.acked.sets['aws/']?.has(key) !== true)
    .map(([key, value]) => ({ ...held(key, value, IMPORTED), state: 'rejected', reason }));
}

function rejectedTags(facts: ExplainFacts): Explained[] {
  const { discovered } = facts;
  return (discovered?.rejected ?? []).map(({ key, reason }) => ({
    ...held(`aws/${key}`, '', discoveredOrigin(facts, NO_SPAN)),
    state: 'rejected',
    reason,
  }));
}

function discoveredOrigin({ discovered }: ExplainFacts, span: Span): Origin {
  const { observedAt, expiresAt } = discovered ?? span;
  return { source: 'discovered', info: discovered, observedAt, expiresAt };
}

function layerOrigin({ source, span }: Layer, { assigned }: ExplainFacts): Origin {
  const info = assigned.find(({ name }) => name === source.name);
  return { source: 'assigned', info, observedAt: span.observedAt, expiresAt: span.expiresAt };
}

function originName({ info }: Origin): string {
  return info?.name ?? 'another one';
}

function namespaceIn(key: string): Namespace {
  return key.startsWith('aws/') ? 'aws/' : 'dynamic/';
}

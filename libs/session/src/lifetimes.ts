import { NAMESPACES } from '@tagplane/labels';
import type { Namespace } from '@tagplane/labels';

/** When the source said so, and until when it holds: Unix milliseconds by this process's clock. */
export interface Span {
  /** Undefined: unknown. */
  readonly observedAt: number | undefined;
  /** Undefined: never ends. */
  readonly expiresAt: number | undefined;
}

/** One for each namespace that has labels. */
export type Spans = Readonly<Record<Namespace, Span | undefined>>;

/** A label update: what it says, and until when. Equal contents have equal revisions. */
export interface LabelsVersion {
  readonly revision: string;
  readonly spans: Spans;
  /**
   * The node is to hold an empty set of `aws/`, so that what it imported does not count either. No revision
   * tells that from holding none.
   */
  readonly cleared?: boolean;
}

export const NO_SPANS: Spans = { 'aws/': undefined, 'dynamic/': undefined };
/** What a node holds that was never told anything. */
export const NOTHING: LabelsVersion = { revision: '', spans: NO_SPANS };

export function equalSpans(a: Spans, b: Spans): boolean {
  return NAMESPACES.every(
    (namespace) =>
      a[namespace]?.observedAt === b[namespace]?.observedAt &&
      a[namespace]?.expiresAt === b[namespace]?.expiresAt &&
      (a[namespace] === undefined) === (b[namespace] === undefined),
  );
}

/** When the first of the namespaces ends; undefined: none does. */
export function earliestExpiry(spans: Spans): number | undefined {
  return earlier(spans['aws/']?.expiresAt, spans['dynamic/']?.expiresAt);
}

/** The span of labels from several sources: as old as the oldest, and ended when the first of them ends. */
export function commonSpan(spans: readonly Span[]): Span {
  return spans.reduce((common, span) => ({
    observedAt: earlier(common.observedAt, span.observedAt),
    expiresAt: earlier(common.expiresAt, span.expiresAt),
  }));
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined) return b;
  return b === undefined ? a : Math.min(a, b);
}

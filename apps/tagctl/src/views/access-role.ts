import type { AccessRole as RoleParts } from '@tagplane/access';
import type { SelectorMap } from '@tagplane/labels';
import { selectorToMap } from '@tagplane/labels';
import { optionalDurationMs } from '@tagplane/protocol';
import type { AccessRole, AccessRule } from '@tagplane/protocol';
import { visible } from '../format/escape.ts';
import { exactDuration } from '../format/exact-duration.ts';
import type { Cell } from '../format/table.ts';
import { ago } from '../format/ages.ts';
import { timeView } from './node.ts';
import { selectorText, selectorView } from './selector.ts';
import type { TableOf } from './table-of.ts';

/** A role as JSON and YAML show it, and as `create` takes it; others script against these names. */
export interface RoleView {
  readonly kind: 'role';
  readonly metadata: {
    readonly name: string;
    /** Only if it has one. */
    readonly description?: string;
    /** What an edit of this document says it was made from. */
    readonly revision: number;
    readonly updated_by: string;
    /** RFC 3339, UTC. */
    readonly updated_at: string | null;
  };
  readonly spec: RoleSpecView;
}

export interface RoleSpecView {
  /** Only if it is bounded. */
  readonly max_label_age?: string;
  readonly allow: readonly RuleView[];
  readonly deny: readonly RuleView[];
}

export interface RuleView {
  readonly logins: readonly string[];
  readonly node_labels: SelectorMap;
}

export function roleView(role: AccessRole): RoleView {
  const { name, description, revision } = role;
  return {
    kind: 'role',
    metadata: {
      name,
      ...(description === '' ? {} : { description }),
      revision: Number(revision),
      updated_by: role.updatedBy,
      updated_at: timeView(role.updatedAt),
    },
    spec: {
      ...maxAge(optionalDurationMs(role.maxLabelAge)),
      allow: role.allow.map(ruleView),
      deny: role.deny.map(ruleView),
    },
  };
}

/** What a person edits: without what is nobody's to write. */
export function editedRoleView({ kind, metadata, spec }: RoleView): object {
  const { updated_by: _by, updated_at: _at, revision: _revision, ...own } = metadata;
  return { kind, metadata: own, spec };
}

/** What a draft says, in the same form. */
export function roleDraftView({ name, description, allow, deny, maxLabelAgeMs }: RoleParts): object {
  const rules = (list: RoleParts['allow']): RuleView[] =>
    list.map(({ logins, nodeLabels }) => ({ logins, node_labels: selectorToMap(nodeLabels) }));
  return {
    kind: 'role',
    metadata: { name, ...(description === '' ? {} : { description }) },
    spec: { ...maxAge(maxLabelAgeMs), allow: rules(allow), deny: rules(deny) },
  };
}

function maxAge(ms: number | undefined): { max_label_age?: string } {
  return ms === undefined ? {} : { max_label_age: exactDuration(ms) };
}

function ruleView({ logins, nodeLabels }: AccessRule): RuleView {
  return { logins, node_labels: selectorView(nodeLabels) };
}

export const roleTable: TableOf<RoleView> = {
  plural: 'roles',
  columns: [
    { title: 'NAME', priority: 0, shrinkTo: 20 },
    { title: 'ALLOW', priority: 1, shrinkTo: 20 },
    { title: 'DENY', priority: 2, shrinkTo: 12 },
    { title: 'MAX AGE', priority: 4 },
    { title: 'REVISION', priority: 5 },
    { title: 'UPDATED', priority: 6 },
    { title: 'BY', priority: 7, shrinkTo: 12 },
    { title: 'DESCRIPTION', priority: 3, shrinkTo: 12 },
  ],
  row: ({ metadata, spec }, now) => [
    { text: visible(metadata.name) },
    { text: spec.allow.map(ruleText).join('; ') || '-' },
    { text: spec.deny.map(ruleText).join('; ') || '-' },
    { text: spec.max_label_age ?? '-' },
    { text: String(metadata.revision) },
    { text: ago(metadata.updated_at, now) },
    { text: visible(metadata.updated_by) },
    { text: visible(metadata.description ?? '') },
  ],
  details: ({ metadata, spec }, now) => [
    ['name', { text: visible(metadata.name) }],
    ['description', { text: visible(metadata.description ?? '-') }],
    ...rules('allow', spec.allow),
    ...rules('deny', spec.deny),
    ['max label age', { text: spec.max_label_age ?? 'any that is fresh' }],
    ['revision', { text: String(metadata.revision) }],
    ['updated', { text: ago(metadata.updated_at, now) }],
    ['by', { text: visible(metadata.updated_by || '-') }],
  ],
};

function rules(title: string, list: readonly RuleView[]): (readonly [string, Cell])[] {
  if (list.length === 0) return [[title, { text: 'nothing', colour: 'dim' }]];
  return list.map((rule, index) => [index === 0 ? title : '', { text: ruleText(rule) }]);
}

/** `deploy, root on aws/env=prod`. */
export function ruleText({ logins, node_labels: labels }: RuleView): string {
  return visible(`${logins.join(', ')} on ${selectorText(labels)}`);
}

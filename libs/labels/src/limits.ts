import { namespaceOf } from './namespaces.ts';
import type { Namespace } from './namespaces.ts';
import type { Labels } from './labels.ts';

/**
 * EC2's limits on a tag (User Guide, "Tag restrictions"): 50 tags a resource, 128 Unicode characters
 * in a key, 256 in a value. Operators' labels share them, so that one limit holds everywhere.
 */
export const MAX_LABELS_PER_NAMESPACE = 50;
export const MAX_KEY_CHARACTERS = 128;
export const MAX_VALUE_CHARACTERS = 256;
/**
 * AWS's own tags (`aws:autoscaling:groupName`) do not count against the 50 (same place). AWS names no
 * number for them; an instance of an Auto Scaling group in a stack has six to eight. 50 and 14 make 64.
 */
export const MAX_SYSTEM_LABELS = 14;
/**
 * What a node may have under `dynamic/`, from all ServerInfos of operators that are for it: four full ones.
 * With its `aws/` labels that is 264 labels of at most 128 + 256 characters, some 300 kB in an update.
 */
export const MAX_DYNAMIC_LABELS = 200;
/** A node's own labels come from its configuration, which may hold more than a resource's tags. */
export const MAX_OWN_LABELS = 200;

const SYSTEM_LABEL_PREFIX = 'aws/aws:';

/** Whether this label is one of AWS's own tags, which are counted apart from those that users set. */
export function isSystemLabel(key: string): boolean {
  return key.startsWith(SYSTEM_LABEL_PREFIX);
}

/**
 * Why this label cannot be carried, for a person, or undefined when it can. The text is one line, names
 * the key, shortened, and never the value.
 *
 * @param key the whole key, with its namespace if it has one
 */
export function labelProblem(key: string, value: string): string | undefined {
  const bareAt = namespaceOf(key)?.length ?? 0;
  if (isPlain(key, bareAt, value)) return undefined;
  const bare = key.slice(bareAt);
  if (bare === '') return `label key ${show(key)} is empty`;
  if (isLonger(bare, MAX_KEY_CHARACTERS)) {
    return `label key ${show(key)} is longer than ${MAX_KEY_CHARACTERS} characters`;
  }
  if (isLonger(value, MAX_VALUE_CHARACTERS)) {
    return `the value of label ${show(key)} is longer than ${MAX_VALUE_CHARACTERS} characters`;
  }
  // A lone surrogate has no UTF-8 form: it would arrive as another character.
  if (!key.isWellFormed()) return `label key ${show(key)} is not well-formed Unicode`;
  if (!value.isWellFormed()) return `the value of label ${show(key)} is not well-formed Unicode`;
  return undefined;
}

/** Whether the label stands all checks by the cheapest of them; most labels do. */
function isPlain(key: string, bareAt: number, value: string): boolean {
  const units = key.length - bareAt;
  return (
    units > 0 &&
    units <= MAX_KEY_CHARACTERS &&
    value.length <= MAX_VALUE_CHARACTERS &&
    key.isWellFormed() &&
    value.isWellFormed()
  );
}

/** Why these labels may not stand together under one namespace in one ServerInfo, or undefined when they may. */
export function namespaceProblem(namespace: Namespace, labels: Labels): string | undefined {
  return problemWithin(namespace, labels, MAX_LABELS_PER_NAMESPACE);
}

/** The same for the whole set of a node, which may come from several ServerInfos. */
export function nodeSetProblem(namespace: Namespace, labels: Labels): string | undefined {
  return problemWithin(
    namespace,
    labels,
    namespace === 'dynamic/' ? MAX_DYNAMIC_LABELS : MAX_LABELS_PER_NAMESPACE,
  );
}

function problemWithin(namespace: Namespace, labels: Labels, most: number): string | undefined {
  // Of so few, neither kind can be too many.
  const system = labels.size <= MAX_SYSTEM_LABELS ? 0 : countSystemLabels(labels);
  if (labels.size - system > most) {
    return `${labels.size - system} labels, but ${namespace} holds at most ${most}`;
  }
  if (system > MAX_SYSTEM_LABELS) {
    return `${system} of AWS's own tags, but ${namespace} holds at most ${MAX_SYSTEM_LABELS} of them`;
  }
  for (const [key, value] of labels) {
    if (!key.startsWith(namespace)) return `label ${show(key)} is not under ${namespace}`;
    if (isPlain(key, namespace.length, value)) continue;
    const problem = labelProblem(key, value);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function countSystemLabels(labels: Labels): number {
  let count = 0;
  for (const key of labels.keys()) if (isSystemLabel(key)) count += 1;
  return count;
}

/** Why a node may not call these its own labels, or undefined when it may. */
export function ownLabelsProblem(labels: Labels): string | undefined {
  if (labels.size > MAX_OWN_LABELS) {
    return `${labels.size} labels, but a node has at most ${MAX_OWN_LABELS} of its own`;
  }
  for (const [key, value] of labels) {
    const namespace = namespaceOf(key);
    if (namespace !== undefined) {
      return `label ${show(key)} is under ${namespace}, which a node's own labels may not use`;
    }
    const problem = labelProblem(key, value);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Characters as Unicode counts them, which in UTF-16 take one unit or two. */
function isLonger(text: string, max: number): boolean {
  if (text.length <= max) return false;
  return text.length > 2 * max || Array.from(text).length > max;
}

/** Quoted, and cut so that it fits a line; JSON's form of it holds no line break and no lone surrogate. */
function show(key: string): string {
  const start = Array.from(key.slice(0, 162));
  return JSON.stringify(start.length > 80 ? `${start.slice(0, 80).join('')}…` : key);
}

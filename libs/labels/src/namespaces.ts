import type { Labels } from './labels.ts';

/**
 * Each namespace has one authority: discovery identities write `aws/`, operators `dynamic/`. A node's
 * own (static, command) labels may use neither.
 */
export const NAMESPACES = ['aws/', 'dynamic/'] as const;

export type Namespace = (typeof NAMESPACES)[number];

export function namespaceOf(key: string): Namespace | undefined {
  return NAMESPACES.find((namespace) => key.startsWith(namespace));
}

/** The label key of an EC2 tag: the tag's key, whole, under `aws/`. */
export function awsLabelKey(tagKey: string): string {
  return `aws/${tagKey}`;
}

/** The labels of one namespace. */
export function labelsIn(namespace: Namespace, labels: Labels): Labels {
  return new Map([...labels].filter(([key]) => key.startsWith(namespace)));
}

export { NO_LABELS, equalLabels, sortedEntries, type Labels } from './labels.ts';
export {
  MAX_KEY_CHARACTERS,
  MAX_LABELS_PER_NAMESPACE,
  MAX_OWN_LABELS,
  MAX_SYSTEM_LABELS,
  MAX_VALUE_CHARACTERS,
  isSystemLabel,
  labelProblem,
  namespaceProblem,
  ownLabelsProblem,
} from './limits.ts';
export { NAMESPACES, awsLabelKey, labelsIn, namespaceOf, type Namespace } from './namespaces.ts';
export { labelsRevision } from './revision.ts';
export { EVERY_NODE, type Selector, type SelectorTerm } from './selector.ts';

export {
  compileSelector,
  selectorProblem,
  type CompiledSelector,
  type LabelLookup,
  type SelectorVerdict,
  type Truth,
} from './compile-selector.ts';
export { formatSelector } from './format-selector.ts';
export { NO_LABELS, equalLabels, sortedEntries, type Labels } from './labels.ts';
export {
  MAX_DYNAMIC_LABELS,
  MAX_KEY_CHARACTERS,
  MAX_LABELS_PER_NAMESPACE,
  MAX_OWN_LABELS,
  MAX_SYSTEM_LABELS,
  MAX_VALUE_CHARACTERS,
  isSystemLabel,
  labelProblem,
  namespaceProblem,
  nodeSetProblem,
  ownLabelsProblem,
} from './limits.ts';
export { NAMESPACES, awsLabelKey, labelsIn, namespaceOf, type Namespace } from './namespaces.ts';
export { parseSelector } from './parse-selector.ts';
export { patternOfText } from './pattern.ts';
export { labelsRevision } from './revision.ts';
export { SelectorError } from './selector-error.ts';
export { selectorFromMap, selectorToMap, type SelectorMap } from './selector-map.ts';
export { EVERY_NODE, type Selector, type SelectorTerm } from './selector.ts';

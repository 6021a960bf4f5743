/** A token bucket's size and how many tokens a second it gets back. */
export interface BucketSize {
  readonly size: number;
  readonly refill: number;
}

/** "Request token bucket sizes and refill rates" (Amazon EC2 developer guide, request throttling). */
const NON_MUTATING: BucketSize = { size: 100, refill: 20 };
const UNPAGED: BucketSize = { size: 50, refill: 10 };
const MUTATING: BucketSize = { size: 50, refill: 5 };
const OWN: ReadonlyMap<string, BucketSize> = new Map([
  ['CreateTags', { size: 100, refill: 10 }],
  ['DeleteTags', { size: 100, refill: 10 }],
  ['RunInstances', { size: 5, refill: 2 }],
  ['StartInstances', { size: 5, refill: 2 }],
  ['TerminateInstances', { size: 100, refill: 5 }],
]);

/** The bucket of one of EC2's actions: each has its own, and an unpaged describe another than a paged one. */
export function bucketOf(action: string, parameters: URLSearchParams): { name: string; size: BucketSize } {
  const own = OWN.get(action);
  if (own !== undefined) return { name: action, size: own };
  if (!/^(Describe|Get|List|Search)/.test(action)) return { name: action, size: MUTATING };
  if (isNarrowed(parameters)) return { name: action, size: NON_MUTATING };
  return { name: `${action} unpaged`, size: UNPAGED };
}

/** "…non-mutating actions that do not specify pagination or a filter use a smaller bucket". */
function isNarrowed(parameters: URLSearchParams): boolean {
  for (const key of parameters.keys()) {
    if (key === 'MaxResults' || key === 'NextToken' || /^(Filter|\w+Id|\w+Name)\.\d/.test(key)) return true;
  }
  return false;
}

export {
  MAX_ITEMS,
  MAX_KEY_BYTES,
  MAX_TTL_MS,
  MAX_VALUE_BYTES,
  checkDeletes,
  checkGuard,
  checkKeys,
  checkKind,
  checkPrefix,
  checkPuts,
  checkRange,
  checkRevision,
} from './bounds.ts';
export { resolveStoreOptions } from './options.ts';
export { compareKeys, prefixEnd, rangeBounds } from './order.ts';
export {
  GuardError,
  StoreUnavailableError,
  type CallOptions,
  type Change,
  type Delete,
  type Entry,
  type Expected,
  type FeedBatch,
  type Found,
  type Guard,
  type Put,
  type Range,
  type Store,
  type StoreOptions,
  type WriteOptions,
  type WriteResult,
} from './store.ts';
export { followFeed, type FeedFollower, type FeedPosition } from './follow.ts';

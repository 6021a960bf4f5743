export {
  AssignedSet,
  type AssignedFor,
  type AssignedSubject,
  type SelectedServerInfo,
} from './assigned-set.ts';
export { carryAll, compileCarryRules, type Carried, type Carry, type CarryRules } from './carry-rules.ts';
export {
  ServerInfoDecodeError,
  decodeServerInfo,
  encodeServerInfo,
  originEnding,
  type StoredEntry,
} from './codec.ts';
export {
  MAX_ASSIGNED_TTL_MS,
  MAX_DISCOVERED_TTL_MS,
  draftProblem,
  type DraftProblem,
} from './draft-problem.ts';
export {
  draftOf,
  observeInstance,
  type DescribedInstance,
  type FoundInstance,
  type FoundPlatform,
  type FoundState,
  type ObserveOptions,
} from './found-instance.ts';
export { MAX_GLOB_CHARACTERS, compileGlob } from './glob.ts';
export { ASSIGNED_PREFIX, DISCOVERED_PREFIX, isServerInfoKey, nameOfKey, serverInfoKey } from './keys.ts';
export { KnownServerInfos, type Known, type Sent } from './known.ts';
export {
  hasLabels,
  isLargeLoss,
  lossOf,
  scopeOfName,
  sumUpLosses,
  type Losing,
  type Loss,
  type ScopeLoss,
} from './loss.ts';
export { LossLedger } from './loss-ledger.ts';
export {
  DISCOVERED_NAME_PREFIX,
  discoveredName,
  isAssignedName,
  isPlaceIn,
  parseDiscoveredName,
  placeName,
  placeOfName,
} from './names.ts';
export {
  BATCH_INTERVAL_MS,
  EXPRESS_BATCH_SIZE,
  EXPRESS_INTERVAL_MS,
  MAX_BATCH_SIZE,
  MAX_EXPRESS_LENGTH,
  MAX_OBSERVATION_AGE_MS,
  MIN_BATCH_SIZE,
  RENEW_BEFORE_MS,
  RETRY_REFUSED_MS,
  TTL_JITTER_MS,
  TTL_MS,
  batchSize,
  drawTtl,
  nextBatchSize,
  sweepPageSize,
} from './pacing.ts';
export {
  isOutdated,
  isTimeUp,
  planInstance,
  planUpserts,
  type KnownLookup,
  type Plan,
  type UpsertReason,
  type Work,
} from './plan.ts';
export { MAX_REJECTED, clipRejected } from './rejected.ts';
export { SelectorDependencies } from './selector-dependencies.ts';
export { labelsOfFlat, packLabels, unpackLabels } from './pack.ts';
export { type Match, type RejectedKey, type ServerInfo, type ServerInfoDraft } from './server-info.ts';
export { UpsertQueue, type Batch, type Deletion, type Upsert } from './upsert-queue.ts';

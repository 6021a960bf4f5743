export { storeContract } from './contract.ts';
export { readFeed, type FeedPosition, type FeedReader } from './feed-reader.ts';
export { CALL, eventually, item, nextBatch, putOne, readAll, type StoreHarness } from './harness.ts';

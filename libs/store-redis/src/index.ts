export { connectRedis, type RedisConnection, type RedisConnectionOptions } from './connection.ts';
export { parseRedisUrl, type RedisEndpoint, type RedisNode } from './endpoint.ts';
export { createRedisStore, type RedisStoreOptions } from './redis-store.ts';

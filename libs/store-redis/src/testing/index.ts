export { startRedis, type RedisServer, type RedisServerOptions } from './redis-server.ts';

import { connectRedis, createRedisStore } from '@tagplane/store-redis';
import { startRedis } from '@tagplane/store-redis/testing';
import { readFileSync } from 'node:fs';
const srv = await startRedis();
const c = connectRedis(srv.url, { onError: console.error });
const s = createRedisStore(c, { kind: 'a', onError: console.error });
const signal = new AbortController().signal;
await s.ping({ signal });
const rcpu = () => {
  const f = readFileSync(`/proc/${srv.pid}/stat`, 'utf8').split(' ');
  return (+f[13] + +f[14]) * 10;
};
for (let r = 0; r < 3; r++) {
  let t = performance.now(),
    c0 = process.cpuUsage(),
    r0 = rcpu();
  const ps = Array.from({ length: 10000 }, (_, i) =>
    s.put([{ key: 'k' + i, value: 'v', ttlMs: undefined }], { signal }),
  );
  const t1 = performance.now() - t;
  await Promise.all(ps);
  const u = process.cpuUsage(c0);
  console.log(
    '10k',
    Math.round(performance.now() - t),
    'issue',
    Math.round(t1),
    'cpu ms',
    (u.user + u.system) / 1000,
    'redis cpu',
    rcpu() - r0,
  );
}
await s[Symbol.asyncDispose]();
await c[Symbol.asyncDispose]();
await srv.stop();

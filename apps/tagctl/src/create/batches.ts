import { toBinary } from '@bufbuild/protobuf';
import { ServerInfoSchema } from '@tagplane/protocol';
import type { ServerInfo } from '@tagplane/protocol';

/** What one request may carry. */
const MAX_ITEMS = 1_000;
/** A quarter of what a message may hold. */
const MAX_BYTES = 1024 * 1024;

/** Cuts a list into requests that the auth service accepts, in order. */
export function batches(infos: readonly ServerInfo[]): ServerInfo[][] {
  const all: ServerInfo[][] = [];
  let current: ServerInfo[] = [];
  let bytes = 0;
  for (const info of infos) {
    const size = toBinary(ServerInfoSchema, info).length;
    if (current.length > 0 && (current.length === MAX_ITEMS || bytes + size > MAX_BYTES)) {
      all.push(current);
      current = [];
      bytes = 0;
    }
    current.push(info);
    bytes += size;
  }
  if (current.length > 0) all.push(current);
  return all;
}

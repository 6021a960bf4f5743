import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ServiceImpl } from '@connectrpc/connect';
import { JoinRecordSchema, instanceToMessage } from '@tagplane/protocol';
import type { JoinRecord, JoinRecordService } from '@tagplane/protocol';
import type { Entry, Store } from '@tagplane/store';
import { JoinRecordError, NAME_PREFIX, decodeNameRecord, parseNameKey } from '../join/record-codec.ts';
import type { NameRecord } from '../join/record-codec.ts';
import { joinRoleMessage } from '../join/roles.ts';
import { readPage } from './page.ts';

type ListJoins = ServiceImpl<typeof JoinRecordService>['listJoins'];

const PAGE_SIZE = 1_000;

/** The store's order of keys is the list's: by role, then name. */
export function listJoins({ store }: { readonly store: Store }): ListJoins {
  return async ({ pageSize, pageToken }, { signal }) => {
    const request = { prefix: NAME_PREFIX, pageSize: pageSize === 0 ? PAGE_SIZE : pageSize, pageToken };
    const page = await readPage(store, request, recordMessage, signal);
    return { joins: page.items, nextPageToken: page.nextPageToken };
  };
}

/** Undefined for a record of a newer version, which must not fail a whole list. */
function recordMessage(entry: Entry): JoinRecord | undefined {
  const key = parseNameKey(entry.key);
  const record = readable(entry.value);
  if (key === undefined || record === undefined) return undefined;
  const { method, proof, instance, joinedAt, remoteAddress } = record;
  return create(JoinRecordSchema, {
    role: joinRoleMessage(key.role),
    name: key.name,
    method,
    proof,
    joinedAt: timestampFromMs(joinedAt),
    remoteAddress,
    ...(instance === undefined ? {} : { awsInstance: instanceToMessage(instance) }),
  });
}

function readable(value: string): NameRecord | undefined {
  try {
    return decodeNameRecord(value);
  } catch (error) {
    if (error instanceof JoinRecordError) return undefined;
    throw error;
  }
}

import type { CompiledSelector } from '@tagplane/labels';
import { ServerInfoDecodeError, decodeServerInfo } from '@tagplane/serverinfo';
import type { ServerInfo } from '@tagplane/serverinfo';
import type { Node } from '@tagplane/protocol';
import type { Logger } from '@tagplane/runtime';
import type { Entry } from '@tagplane/store';
import type { StoredRole } from '@tagplane/access';
import type { AuthMetrics } from '../metrics.ts';
import { NodeDecodeError } from '../nodes/node-codec.ts';
import { RoleDecodeError, decodeRole } from '../roles/role-codec.ts';
import { nodeMessage, pickedNodeMessage } from './node-message.ts';

/** Where unreadable items are counted and, at debug, named. */
export interface UnreadableSink {
  readonly metrics: Pick<AuthMetrics, 'unreadable'>;
  readonly log: Logger;
}

/** The ServerInfo in an entry; undefined for one of a newer version, which must not fail a whole list. */
export function readableServerInfo(entry: Entry, sink: UnreadableSink): ServerInfo | undefined {
  return readable('server-info', entry, sink, decodeServerInfo, ServerInfoDecodeError);
}

/** The same for a node; undefined also for one that the selector does not pick. */
export function readableNode(
  entry: Entry,
  sink: UnreadableSink,
  now: number,
  selector?: Pick<CompiledSelector, 'matches'>,
): Node | undefined {
  const read = (item: Entry) =>
    selector === undefined
      ? nodeMessage(item, now)
      : pickedNodeMessage(item, now, (labels) => selector.matches(labels));
  return readable('node', entry, sink, read, NodeDecodeError);
}

/** The same for a role. */
export function readableRole(entry: Entry, sink: UnreadableSink): StoredRole | undefined {
  return readable('role', entry, sink, decodeRole, RoleDecodeError);
}

function readable<Item>(
  kind: string,
  entry: Entry,
  { metrics, log }: UnreadableSink,
  decode: (entry: Entry) => Item,
  expected: new (...args: never[]) => Error,
): Item | undefined {
  try {
    return decode(entry);
  } catch (error) {
    if (!(error instanceof expected)) throw error;
    metrics.unreadable.inc({ kind });
    log.debug({ event: 'item_unreadable', kind, reason: error.message });
    return undefined;
  }
}

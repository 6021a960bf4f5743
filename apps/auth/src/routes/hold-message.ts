import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { HoldSchema, HoldState } from '@tagplane/protocol';
import type { Hold as HoldMessage } from '@tagplane/protocol';
import type { Hold } from '../guard/hold.ts';

const STATES = {
  held: HoldState.HELD,
  released: HoldState.RELEASED,
  dropped: HoldState.DROPPED,
} as const;

export function holdMessage(hold: Hold): HoldMessage {
  return create(HoldSchema, {
    id: hold.id,
    scope: hold.scope,
    nodesChanged: hold.nodesChanged,
    nodesTotal: hold.nodesTotal,
    nodesChangedBefore: hold.nodesChangedBefore,
    samples: [...hold.samples],
    state: STATES[hold.state],
    requestedBy: hold.requestedBy,
    heldAt: timestampFromMs(hold.heldAt),
    decidedBy: hold.decidedBy,
    ...(hold.decidedAt === undefined ? {} : { decidedAt: timestampFromMs(hold.decidedAt) }),
    description: hold.description,
  });
}

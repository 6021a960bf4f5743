import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ConnectRouter, HandlerContext } from '@connectrpc/connect';
import { Code, ConnectError } from '@connectrpc/connect';
import { GuardService, HoldSchema, HoldState } from '@tagplane/protocol';
import type { Hold } from '@tagplane/protocol';
import { NOW } from './capture.ts';

/** The guard of a FakeAuth: holds are decided as they are asked to be. */
export class FakeGuard {
  holds: Hold[] = [];

  routes(router: ConnectRouter, note: (context: HandlerContext) => void): void {
    router.service(GuardService, {
      listHolds: (_request, context) => {
        note(context);
        return { holds: this.holds };
      },
      releaseHold: ({ id }, context) => {
        note(context);
        return { hold: this.#decide(id, HoldState.RELEASED) };
      },
      dropHold: ({ id }, context) => {
        note(context);
        return { hold: this.#decide(id, HoldState.DROPPED) };
      },
    });
  }

  #decide(id: string, state: HoldState): Hold {
    const hold = this.holds.find((each) => each.id === id);
    if (hold === undefined) throw new ConnectError('no such hold', Code.NotFound);
    return Object.assign(hold, { state, decidedBy: 'operator/tester', decidedAt: timestampFromMs(NOW) });
  }
}

export function sampleHold(id: string): Hold {
  return create(HoldSchema, {
    id,
    scope: 'dynamic/',
    state: HoldState.HELD,
    description: 'remove 1 ServerInfo',
    nodesChanged: 30,
    nodesTotal: 100,
    nodesChangedBefore: 5,
    samples: ['web-tier'],
    requestedBy: 'operator/bob',
    heldAt: timestampFromMs(NOW - 60_000),
  });
}

import { Code, ConnectError } from '@connectrpc/connect';
import type { HandlerContext } from '@connectrpc/connect';
import { connectionOf, cutOf, peerOf } from '@tagplane/protocol';
import type { ControlStreamRequest, ControlStreamResponse } from '@tagplane/protocol';
import type { AgentSession } from '../control/agent-session.ts';
import type { ControlPlane } from '../control/control-plane.ts';
import { Outbox } from '../control/outbox.ts';

/**
 * InventoryService.ControlStream over the control plane.
 *
 * @throws ConnectError PERMISSION_DENIED, also later on the stream: only agents, each for its own server id
 */
export function createControlStreamRoute(
  control: Pick<ControlPlane, 'connect'>,
): (
  requests: AsyncIterable<ControlStreamRequest>,
  context: HandlerContext,
) => AsyncIterable<ControlStreamResponse> {
  return (requests, context) => {
    const peer = peerOf(context);
    if (peer.role !== 'agent') throw denied(`the role ${peer.role} has no control stream`);
    const outbox = new Outbox({ denied, cut: cutOf(context) });
    const session = control.connect(outbox, { peer, connection: connectionOf(context) });
    outbox.onEnd = () => {
      session.end();
    };
    read(requests, session).then(
      () => {
        session.end();
      },
      (error: unknown) => {
        if (error instanceof ConnectError && MALFORMED.has(error.code))
          session.peer.noteRefusal(error.rawMessage);
        outbox.fail(error);
        session.end();
      },
    );
    return outbox;
  };
}

/** What reading a message fails with when it is no message, breaks the rules of its type, or is too long. */
const MALFORMED: ReadonlySet<Code> = new Set([Code.InvalidArgument, Code.Internal, Code.ResourceExhausted]);

/** Until the agent ends its side, or the stream breaks. */
async function read(requests: AsyncIterable<ControlStreamRequest>, session: AgentSession): Promise<void> {
  for await (const request of requests) session.receive(request);
}

function denied(reason: string): ConnectError {
  return new ConnectError(reason, Code.PermissionDenied);
}

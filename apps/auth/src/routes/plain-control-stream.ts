import { Code, ConnectError } from '@connectrpc/connect';
import { InventoryService, rawMethod } from '@tagplane/protocol';
import type { RawMethod } from '@tagplane/protocol';
import type { ControlPlane } from '../control/control-plane.ts';
import { StreamChannel } from '../control/stream-channel.ts';

/**
 * InventoryService.ControlStream as our own agents ask for it: by the rules of `createControlStreamRoute`,
 * at a fraction of its cost.
 */
export function plainControlStream(control: Pick<ControlPlane, 'connect'>): RawMethod {
  return rawMethod(InventoryService.method.controlStream, (stream) => {
    const { peer, connection } = stream;
    if (peer.role !== 'agent') throw denied(`the role ${peer.role} has no control stream`);
    const channel = new StreamChannel(stream, denied);
    const session = control.connect(channel, { peer, connection });
    return {
      message(request) {
        session.receive(request);
      },
      requestsEnded() {
        session.end();
        channel.close(undefined);
      },
      refused({ rawMessage }) {
        session.peer.noteRefusal(rawMessage);
      },
      drain() {
        channel.drain();
      },
      end() {
        session.end();
      },
    };
  });
}

function denied(reason: string): ConnectError {
  return new ConnectError(reason, Code.PermissionDenied);
}

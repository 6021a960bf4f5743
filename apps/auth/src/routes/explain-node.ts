import { Code, ConnectError } from '@connectrpc/connect';
import type { ServiceImpl } from '@connectrpc/connect';
import type { ExplainService } from '@tagplane/protocol';
import type { AssignedContext } from './route-context.ts';

type Explain = ServiceImpl<typeof ExplainService>['explainNode'];

export function explainNode(_routes: AssignedContext): Explain {
  return () => {
    throw new ConnectError('not yet', Code.Unimplemented);
  };
}

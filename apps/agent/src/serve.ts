import type { Address, Logger, Registry } from '@tagplane/runtime';
import { startDiagnostics } from '@tagplane/runtime';
import type { AgentCredentials } from './agent-credentials.ts';
import type { AgentView } from './agent-view.ts';
import { serveLocally } from './local-socket.ts';
import { readinessOf } from './readiness.ts';
import { labelsDocument } from './routes/labels.ts';
import { statusDocument } from './routes/status.ts';

/** What is told of, and where. */
export interface Served {
  readonly socket?: string | undefined;
  readonly diagnostics?: Address | undefined;
  readonly registry: Registry | undefined;
  readonly credentials: AgentCredentials | undefined;
  readonly view: () => AgentView;
  readonly log: Logger;
}

/** @throws ConfigError when socket or diagnostics cannot be had */
export async function serve({
  socket,
  diagnostics,
  registry,
  credentials,
  view,
  log,
}: Served): Promise<AsyncDisposable> {
  await using servers = new AsyncDisposableStack();
  if (socket !== undefined) {
    const routes = {
      '/v1/labels': () => labelsDocument(view()),
      '/v1/status': () => statusDocument(view(), Date.now()),
    };
    servers.use(await serveLocally({ path: socket, routes, log }));
  }
  if (registry !== undefined && diagnostics !== undefined) {
    const readiness = () => [
      readinessOf(view()),
      ...(credentials === undefined ? [] : [credentials.readiness()]),
    ];
    servers.use(await startDiagnostics({ listen: diagnostics, registry, readiness, log }));
  }
  return servers.move();
}

import { decisionDocument } from '@tagplane/access';
import type { AccessRequest, Decision } from '@tagplane/access';
import type { Logger } from '@tagplane/runtime';
import { startDiagnostics } from '@tagplane/runtime';
import type { Agent } from './agent-parts.ts';
import type { AgentSettings } from './config.ts';
import { accessQuestion } from './decide/question.ts';
import type { Question } from './local-question.ts';
import { serveLocally } from './local-socket.ts';
import { readinessOf } from './readiness.ts';
import { labelsDocument } from './routes/labels.ts';
import { statusDocument } from './routes/status.ts';
import { serveLogins } from './ssh/login-socket.ts';

/**
 * Tells of an agent where its settings say.
 *
 * @throws ConfigError when socket or diagnostics cannot be had
 */
export async function serve(
  { socket, ssh, diagnostics }: Pick<AgentSettings, 'socket' | 'ssh' | 'diagnostics'>,
  agent: Pick<Agent, 'registry' | 'credentials' | 'decider' | 'observer' | 'view'>,
  log: Logger,
): Promise<AsyncDisposable> {
  const { registry, credentials, view } = agent;
  await using servers = new AsyncDisposableStack();
  if (socket !== undefined) {
    const routes = {
      '/v1/labels': () => labelsDocument(view()),
      '/v1/status': () => statusDocument(view(), Date.now()),
    };
    servers.use(await serveLocally({ path: socket, routes, questions: questionsOf(agent), log }));
  }
  const decide = decideOf(agent);
  if (ssh !== undefined && decide !== undefined) {
    servers.use(await serveLogins({ config: ssh, decide, log }));
  }
  if (registry !== undefined && diagnostics !== undefined) {
    const readiness = () => [
      ...readinessOf(view()),
      ...(credentials === undefined ? [] : [credentials.readiness()]),
    ];
    servers.use(await startDiagnostics({ listen: diagnostics, registry, readiness, log }));
  }
  return servers.move();
}

function questionsOf(agent: Pick<Agent, 'decider' | 'observer'>) {
  const decide = decideOf(agent);
  if (decide === undefined) return {};
  return { '/v1/decide': (question: Question) => decisionDocument(decide(accessQuestion(question))) };
}

/** Decides and counts; undefined for an agent that does not decide. */
function decideOf({ decider, observer }: Pick<Agent, 'decider' | 'observer'>) {
  if (decider === undefined) return undefined;
  return (request: AccessRequest): Decision => {
    const decision = decider.decide(request);
    observer.decided(decision.allowed ? 'allowed' : 'denied');
    return decision;
  };
}

import { decisionDocument } from '@tagplane/access';
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

/**
 * Tells of an agent where its settings say.
 *
 * @throws ConfigError when socket or diagnostics cannot be had
 */
export async function serve(
  { socket, diagnostics }: Pick<AgentSettings, 'socket' | 'diagnostics'>,
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
  if (registry !== undefined && diagnostics !== undefined) {
    const readiness = () => [
      ...readinessOf(view()),
      ...(credentials === undefined ? [] : [credentials.readiness()]),
    ];
    servers.use(await startDiagnostics({ listen: diagnostics, registry, readiness, log }));
  }
  return servers.move();
}

function questionsOf({ decider, observer }: Pick<Agent, 'decider' | 'observer'>) {
  if (decider === undefined) return {};
  return {
    '/v1/decide': (question: Question) => {
      const decision = decider.decide(accessQuestion(question));
      observer.decided(decision.allowed ? 'allowed' : 'denied');
      return decisionDocument(decision);
    },
  };
}

import { AgentUnreachableError, askAgent } from '../../local-client.ts';
import type { StatusDocument } from '../../routes/status.ts';
import type { Finding } from './finding.ts';
import { bad, good } from './finding.ts';

/** What the agent decides by, as it says itself. */
export async function checkAgent(socket: string, signal: AbortSignal): Promise<Finding[]> {
  try {
    // The agent and this command are one program of one version.
    return judgeAgent((await askAgent(socket, '/v1/status', signal)) as StatusDocument);
  } catch (error) {
    if (!(error instanceof AgentUnreachableError)) throw error;
    return [bad(error.message, 'start the agent; give this command its --config, or its --socket')];
  }
}

export function judgeAgent({
  labels,
  roles,
  refused,
}: Pick<StatusDocument, 'labels' | 'roles' | 'refused'>): Finding[] {
  return [
    judgeFreshness('labels', labels.freshness),
    judgeFreshness('roles', roles?.freshness ?? 'none'),
    ...refused.map(({ file, reason }) => bad(`it did not use ${file}: ${reason}`, CONNECTED)),
  ];
}

const CONNECTED =
  'have it connect to the auth service: tagplane-agent status says whether it does, and why not';

function judgeFreshness(what: string, freshness: 'fresh' | 'stale' | 'none'): Finding {
  if (freshness === 'fresh') return good(`its ${what} are fresh`);
  return bad(freshness === 'stale' ? `its ${what} ran out` : `it has no ${what}`, CONNECTED);
}

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

export function judgeAgent({ labels }: Pick<StatusDocument, 'labels'>): Finding[] {
  return [
    labels.freshness === 'fresh'
      ? good('its labels are fresh')
      : bad(
          labels.freshness === 'stale' ? 'its labels ran out' : 'it has no labels yet',
          'tagplane-agent status says whether it is connected, and if not why',
        ),
  ];
}

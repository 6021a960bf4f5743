import { loadConfig } from '@tagplane/runtime';
import { agentConfig, socketPath } from '../config.ts';

/** The sockets that an agent with this configuration answers on. */
export function socketsOfConfig(file: string): string[] {
  return [socketPath(loadConfig(agentConfig, { file, env: {} }))];
}

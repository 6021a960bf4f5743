import { loadConfig } from '@tagplane/runtime';
import { agentConfig, socketPath } from '../config.ts';

/** The sockets that an agent with this configuration answers on: first that for logins, if it has one. */
export function socketsOfConfig(file: string): string[] {
  const config = loadConfig(agentConfig, { file, env: {} });
  return [...(config.ssh === undefined ? [] : [config.ssh.socket]), socketPath(config)];
}

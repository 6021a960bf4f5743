/** Where the agent answers for logins alone, to those who may not use its own socket. */
export const DEFAULT_SSH_SOCKET = '/run/tagplane-agent/ssh.sock';

/** The agent's own socket, where nothing else is configured. */
export const DEFAULT_AGENT_SOCKET = '/var/lib/tagplane-agent/agent.sock';

export const DECIDE_PATH = '/v1/decide';

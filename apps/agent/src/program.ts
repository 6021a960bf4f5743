import type { Program } from '@tagplane/runtime';
import { createLogger, processIo, runProgram } from '@tagplane/runtime';
import { checkCommand } from './commands/check.ts';
import { labelsCommand } from './commands/labels.ts';
import { sshCommand } from './commands/ssh.ts';
import { statusCommand } from './commands/status.ts';
import { runAgent } from './compose.ts';
import { agentConfig, settingsOf } from './config.ts';

const program: Program<typeof agentConfig> = {
  name: 'tagplane-agent',
  summary: "keeps this server's labels, as the auth service sends them, and answers for them locally",
  config: agentConfig,
  commands: { check: checkCommand, labels: labelsCommand, status: statusCommand, ssh: sshCommand },
  async start(config, { signal, env }) {
    const log = createLogger('agent', config.log_level);
    await runAgent(settingsOf(config), { signal, log, env });
  },
};

/** Runs the agent, or one of its commands. Resolves to the exit code. */
export function runAgentProgram(args: readonly string[]): Promise<number> {
  return runProgram(program, args, processIo());
}

#!/usr/bin/env -S node --conditions=@tagplane/source
import type { Program } from '@tagplane/runtime';
import { createLogger, processIo, runProgram } from '@tagplane/runtime';
import { labelsCommand } from './commands/labels.ts';
import { statusCommand } from './commands/status.ts';
import { runAgent } from './compose.ts';
import { agentConfig, settingsOf } from './config.ts';

const program: Program<typeof agentConfig> = {
  name: 'tagplane-agent',
  summary: "keeps this server's labels, as the auth service sends them, and answers for them locally",
  config: agentConfig,
  commands: { labels: labelsCommand, status: statusCommand },
  async start(config, { signal, env }) {
    const log = createLogger('agent', config.log_level);
    await runAgent(settingsOf(config), { signal, log, env });
  },
};

process.exitCode = await runProgram(program, process.argv.slice(2), processIo());

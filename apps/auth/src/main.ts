#!/usr/bin/env -S node --conditions=@tagplane/source
import { createLogger, processIo, runProgram } from '@tagplane/runtime';
import { bootstrap } from './bootstrap.ts';
import { composeAuth } from './compose.ts';
import { authConfig } from './config.ts';

process.exitCode = await runProgram(
  {
    name: 'tagplane-auth',
    summary: "the API over the store, the reconciler, and every agent's control stream",
    config: authConfig,
    async start(config, { signal }) {
      await using auth = await composeAuth(config, createLogger('auth', config.log_level), signal);
      await auth.run(signal);
    },
    commands: { bootstrap },
  },
  process.argv.slice(2),
  processIo(),
);

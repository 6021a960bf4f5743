#!/usr/bin/env -S node --conditions=@tagplane/source
import { errorMessage } from '@tagplane/runtime';
import { USAGE, readOptions } from './options.ts';
import { demonstrate } from './run.ts';

const stop = new AbortController();
// Once: a second Ctrl-C ends a demo that does not stop.
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => {
    stop.abort(new Error('interrupted'));
  });
}
try {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) process.stdout.write(USAGE);
  else {
    process.exitCode = await demonstrate(options, stop.signal).catch((error: unknown) => {
      process.stderr.write(`tagplane-demo: ${errorMessage(error)}\n`);
      return 1;
    });
  }
} catch (error) {
  process.stderr.write(`tagplane-demo: ${errorMessage(error)}\n${USAGE}`);
  process.exitCode = 2;
}

import { createLogger } from '@tagplane/runtime';
import type { Logger } from '@tagplane/runtime';

/** A log that is heard: what was said, without time and level. */
export function heardLog(): { readonly log: Logger; readonly said: Record<string, unknown>[] } {
  const said: Record<string, unknown>[] = [];
  const log = createLogger('agent', 'info', {
    write(line) {
      const {
        time: _time,
        level: _level,
        service: _service,
        ...rest
      } = JSON.parse(line) as Record<string, unknown>;
      said.push(rest);
    },
  });
  return { log, said };
}

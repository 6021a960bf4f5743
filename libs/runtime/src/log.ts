import { pino } from 'pino';
import type { Logger } from 'pino';

export type { Logger } from 'pino';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * JSON lines on stderr: `level`, `time` and `service`, then what the call gives, with `event` first, a
 * fixed name in snake_case: `log.info({ event: 'scan_completed', region, instances })`. Label values
 * never appear at info.
 *
 * @param destination gets one whole line a call
 */
export function createLogger(
  service: string,
  level: LogLevel,
  destination: { write(line: string): void } = stderr(),
): Logger {
  return pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}

function stderr(): { write(line: string): void } {
  // Synchronous, so that the last lines before an exit are not lost; there are few of them.
  return pino.destination({ fd: 2, sync: true });
}

/** For tests and programs that log nothing. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}

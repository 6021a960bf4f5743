import { pino } from 'pino';
import type { Logger } from 'pino';

export type { Logger } from 'pino';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * JSON lines on stderr. Every line carries `event`, a fixed name in snake_case, as its first field:
 * `log.info({ event: 'scan_completed', region, instances })`. Label values never appear at info.
 */
export function createLogger(service: string, level: LogLevel): Logger {
  return pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    // Synchronous, so that the last lines before an exit are not lost; there are few of them.
    pino.destination({ fd: 2, sync: true }),
  );
}

/** For tests and programs that log nothing. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}

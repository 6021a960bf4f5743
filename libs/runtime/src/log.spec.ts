import { describe, expect, it } from '@jest/globals';
import type { LogLevel } from './log.ts';
import { LOG_LEVELS, createLogger, silentLogger } from './log.ts';

function logger(level: LogLevel): { log: ReturnType<typeof createLogger>; lines: string[] } {
  const lines: string[] = [];
  return { log: createLogger('auth', level, { write: (line) => lines.push(line) }), lines };
}

describe('createLogger', () => {
  it('writes one line of JSON a call, its own fields from the event on', () => {
    const { log, lines } = logger('info');
    log.info({ event: 'scan_completed', region: 'eu-central-1', note: 'two\nlines' });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^\{.*\}\n$/);
    const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    expect(Object.keys(line)).toEqual(['level', 'time', 'service', 'event', 'region', 'note']);
    expect(line).toMatchObject({
      level: 'info',
      service: 'auth',
      event: 'scan_completed',
      note: 'two\nlines',
    });
    expect(new Date(String(line['time'])).toISOString()).toBe(line['time']);
  });

  it('names levels, not numbers, in lines of children too', () => {
    const { log, lines } = logger('trace');
    for (const level of ['trace', 'debug', 'info', 'warn', 'error'] as const) {
      log.child({ region: 'eu-west-1' })[level]({ event: 'x' });
      expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ level, region: 'eu-west-1', event: 'x' });
    }
  });

  it('writes an error with its causes', () => {
    const { log, lines } = logger('info');
    log.error({ event: 'failed', err: new Error('outer', { cause: new Error('inner') }) });
    const line = JSON.parse(lines[0] ?? '') as { err: { message: string; stack: string } };
    expect(line.err.message).toContain('outer');
    expect(line.err.stack).toContain('inner');
  });

  it.each(LOG_LEVELS)('at %s leaves out what is below', (level) => {
    const { log, lines } = logger(level);
    const levels = LOG_LEVELS.filter((each) => each !== 'silent');
    for (const each of levels) log[each]({ event: each });
    const written = lines.map((line) => (JSON.parse(line) as { level: string }).level);
    expect(written).toEqual(level === 'silent' ? [] : levels.slice(levels.indexOf(level)));
  });
});

describe('silentLogger', () => {
  it('writes nothing at any level', () => {
    expect(silentLogger().isLevelEnabled('fatal')).toBe(false);
  });
});

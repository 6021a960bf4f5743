import * as z from 'zod';
import { parseAddress } from './address.ts';
import { parseDuration } from './duration.ts';
import { LOG_LEVELS } from './log.ts';

// Also of a number, which YAML makes of an unquoted port or of a duration without its unit.
const HOST_PORT = 'expected HOST:PORT';
const DURATION = 'expected a duration such as 90s or 5m';

/** `host:port` → Address. */
export const addressField = z.string(HOST_PORT).transform((text, context) => {
  const address = parseAddress(text);
  if (address !== undefined) return address;
  context.addIssue({ code: 'custom', message: HOST_PORT });
  return z.NEVER;
});

/**
 * A duration such as `5m` → milliseconds, within the given bounds.
 *
 * @throws RangeError when the bounds are no durations, or the wrong way round
 */
export function durationField(bounds: { readonly min: string; readonly max: string }) {
  const min = parseDuration(bounds.min) ?? Number.NaN;
  const max = parseDuration(bounds.max) ?? Number.NaN;
  if (!(min <= max)) throw new RangeError(`no bounds of a duration: ${bounds.min}, ${bounds.max}`);
  return z.string(DURATION).transform((text, context) => {
    const ms = parseDuration(text);
    if (ms !== undefined && ms >= min && ms <= max) return ms;
    const message = ms === undefined ? DURATION : `expected between ${bounds.min} and ${bounds.max}`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}

export const logLevelField = z.enum(LOG_LEVELS);

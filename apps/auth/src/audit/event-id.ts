import { randomBytes } from 'node:crypto';

/** 48 bits of milliseconds: until the year 10889. */
const TIME_DIGITS = 12;
const COUNTER_DIGITS = 4;
const COUNTERS = 16 ** COUNTER_DIGITS;

/**
 * Makes ids that are ordered by time and unique: milliseconds, a counter within them, and 48 random bits of
 * this process. They never go back, also when the clock does.
 */
export function createEventIds(random: string = randomBytes(6).toString('hex')): (now: number) => string {
  let last = 0;
  let counter = 0;
  return (now) => {
    const time = Math.floor(now);
    if (time > last) {
      last = time;
      counter = 0;
    } else {
      counter += 1;
      if (counter === COUNTERS) {
        last += 1;
        counter = 0;
      }
    }
    return `${hex(last, TIME_DIGITS)}${hex(counter, COUNTER_DIGITS)}-${random}`;
  };
}

/** Not above any id of that time (Unix milliseconds), and above every id of an earlier one. */
export function eventIdFloor(time: number): string {
  return hex(Math.max(0, Math.floor(time)), TIME_DIGITS);
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

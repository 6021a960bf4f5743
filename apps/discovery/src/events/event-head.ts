import { textAt } from './json.ts';

const MAX_ID_CHARACTERS = 128;

/** The head that all of EventBridge's events have. */
export interface EventHead {
  readonly id: string;
  readonly account: string;
  readonly region: string;
  /** Unix milliseconds. */
  readonly time: number;
}

/** Undefined where part of it is missing or nothing like it. */
export function headOf(event: object): EventHead | undefined {
  const id = textAt(event, 'id');
  const account = textAt(event, 'account');
  const region = textAt(event, 'region');
  const time = parseTime(textAt(event, 'time'));
  if (id === undefined || id === '' || id.length > MAX_ID_CHARACTERS) return undefined;
  if (account === undefined || region === undefined || time === undefined) return undefined;
  return { id, account, region, time };
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;

/** Unix milliseconds of a time as AWS writes it, such as `2026-04-08T13:00:00Z`. */
export function parseTime(text: string | undefined): number | undefined {
  if (text === undefined || !TIME.test(text)) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

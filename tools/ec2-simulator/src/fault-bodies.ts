import { MAX_COUNT, bad, integer, object, optionalString, readObject } from './control-bodies.ts';
import type { Body } from './control-bodies.ts';
import type { Fault } from './faults.ts';

/** Five minutes: longer than any client waits. */
const MAX_DELAY_MS = 300_000;
/** One day. */
const MAX_TIME_MS = 24 * 60 * 60 * 1000;
const MAX_BYTES = 1024 * 1024 * 1024;

/** EC2 throttles with 503. */
const THROTTLES: ReadonlySet<string> = new Set(['RequestLimitExceeded', 'Unavailable']);

/** A script: `{"faults": [{…}, …]}`. Throws AwsError, as all readers here do. */
export function parseScript(text: string): Fault[] {
  return readFaults(readObject(text));
}

/** One fault, or a list of them under `faults`. */
export function readFaults(body: Body): Fault[] {
  const { faults } = body;
  if (faults === undefined) return [readFault(body)];
  if (!Array.isArray(faults)) throw bad('faults: a list');
  return faults.map((fault: unknown, index) => readFault(object(fault, `faults: ${index}`)));
}

function readFault(body: Body): Fault {
  const unknown = Object.keys(body).find((key) => !MEMBERS.has(key));
  if (unknown !== undefined) throw bad(`${unknown}: not a member of a fault`);
  return {
    action: optionalString(body['action'], 'action'),
    region: optionalString(body['region'], 'region'),
    account: optionalString(body['account'], 'account'),
    page: optionalInteger(body, 'page', 1, MAX_COUNT),
    skip: integer(body['skip'], 'skip', 0, MAX_COUNT, 0),
    count: integer(body['count'], 'count', 1, MAX_COUNT, 1),
    probability: readProbability(body),
    afterMs: optionalInteger(body, 'after_ms', 0, MAX_TIME_MS),
    forMs: optionalInteger(body, 'for_ms', 0, MAX_TIME_MS),
    delayMs: integer(body['delay_ms'], 'delay_ms', 0, MAX_DELAY_MS, 0),
    body: optionalString(body['body'], 'body'),
    error: readError(body),
    cutAfter: optionalInteger(body, 'cut_after', 0, MAX_BYTES),
    truncateAfter: optionalInteger(body, 'truncate_after', 0, MAX_BYTES),
    drop: readDrop(body),
    view: readView(body),
  };
}

const MEMBERS: ReadonlySet<string> = new Set([
  ...['action', 'region', 'account', 'page', 'skip', 'count', 'probability', 'after_ms', 'for_ms'],
  ...['delay_ms', 'body', 'code', 'message', 'status', 'cut_after', 'truncate_after', 'drop', 'view'],
]);

function readError(body: Body): Fault['error'] {
  const code = optionalString(body['code'], 'code');
  if (code === undefined) return undefined;
  return {
    code,
    message: optionalString(body['message'], 'message') ?? 'A fault that was asked for.',
    status: integer(body['status'], 'status', 400, 599, THROTTLES.has(code) ? 503 : 400),
  };
}

function readProbability({ probability }: Body): number | undefined {
  if (probability === undefined) return undefined;
  if (typeof probability === 'number' && probability >= 0 && probability <= 1) return probability;
  throw bad('probability: a number from 0 to 1');
}

function readDrop({ drop }: Body): boolean | undefined {
  if (drop === undefined || typeof drop === 'boolean') return drop;
  throw bad('drop: true or false');
}

function readView({ view }: Body): Fault['view'] {
  if (view === undefined || view === 'stale' || view === 'empty') return view;
  throw bad('view: stale or empty');
}

function optionalInteger(body: Body, name: string, least: number, most: number): number | undefined {
  return body[name] === undefined ? undefined : integer(body[name], name, least, most, 0);
}

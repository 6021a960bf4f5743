import { AwsError } from '../aws-error.ts';
import type { Extension } from '../extension.ts';
import { EVENT_KINDS } from './event-feed.ts';
import type { EventFeed, EventFeedOptions, EventKind } from './event-feed.ts';

type Body = Readonly<Record<string, unknown>>;

/** Control over the events that the fleet's changes make. */
export function createEventRoutes(feed: EventFeed): Extension {
  return {
    routes: new Map([
      ['GET events', () => reportJson(feed)],
      [
        'PUT events',
        ({ body }: { body: Body }) => {
          const { region, account, name } = feed.start(readOptions(body));
          return { queue: { region, account, name } };
        },
      ],
      [
        'DELETE events',
        () => {
          feed.stop();
          return {};
        },
      ],
      [
        'POST events foreign',
        ({ body }: { body: Body }) => {
          feed.sendForeign(number(body, 'count', 10_000) ?? 1);
          return {};
        },
      ],
      [
        'POST events malformed',
        ({ body }: { body: Body }) => {
          feed.sendMalformed(number(body, 'count', 10_000) ?? 1);
          return {};
        },
      ],
    ]),
    reset: () => {
      feed.reset();
    },
    close: () => {
      feed.stop();
    },
  };
}

function reportJson(feed: EventFeed): object {
  return { ...feed.report() };
}

function readOptions(body: Body): EventFeedOptions {
  const name = text(body, 'queue');
  if (name === undefined) throw new AwsError('BadRequest', 'queue: the name of a queue');
  const [account, region] = [text(body, 'account'), text(body, 'region')];
  const given = {
    kinds: kinds(body),
    delayMs: number(body, 'delay_ms', MAX_MS),
    jitterMs: number(body, 'jitter_ms', MAX_MS),
    duplicate: number(body, 'duplicate', 1),
    drop: number(body, 'drop', 1),
  };
  const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { queue: { name, ...(account && { account }), ...(region && { region }) }, ...known };
}

/** One hour. */
const MAX_MS = 60 * 60 * 1000;

function kinds(body: Body): EventKind[] | undefined {
  const value = body['kinds'];
  if (value === undefined) return undefined;
  const named = Array.isArray(value) ? value : [];
  const known = EVENT_KINDS.filter((kind) => named.includes(kind));
  if (known.length === named.length && known.length > 0) return known;
  throw new AwsError('BadRequest', `kinds: some of ${EVENT_KINDS.join(', ')}`);
}

function text(body: Body, name: string): string | undefined {
  const value = body[name];
  if (value === undefined || typeof value === 'string') return value;
  throw new AwsError('BadRequest', `${name}: a text`);
}

function number(body: Body, name: string, most: number): number | undefined {
  const value = body[name];
  if (value === undefined) return undefined;
  if (typeof value === 'number' && value >= 0 && value <= most) return value;
  throw new AwsError('BadRequest', `${name}: a number from 0 to ${most}`);
}

import type { Client } from '@connectrpc/connect';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { AuditEvent, AuditService } from '@tagplane/protocol';
import { HOUR } from '@tagplane/runtime';
import { waitFor } from '@tagplane/harness';

/** What an event must say; what is left out may be anything. */
export interface ExpectedEvent {
  readonly code: string;
  /** The address of the attacker, which no other attack comes from. */
  readonly source?: string;
  readonly actor?: string;
  readonly reason?: RegExp;
  readonly subject?: string;
  readonly details?: Readonly<Record<string, string>>;
}

/** Like events are counted together for ten seconds; a busy machine is slow to write them. */
const PATIENCE_MS = 25_000;

/** The audit events of the service, as an operator reads them. */
export class AuditTrail {
  readonly #client: Client<typeof AuditService>;

  constructor(client: Client<typeof AuditService>) {
    this.#client = client;
  }

  /** Waits until there is such an event. */
  expect(expected: ExpectedEvent): Promise<AuditEvent> {
    return this.#find(JSON.stringify(expected, readable), matches(expected), expected.source);
  }

  /** Waits until there is an event of one of these codes about whoever comes from this address. */
  expectOneOf(codes: readonly string[], source: string): Promise<AuditEvent> {
    const isOne = (event: AuditEvent): boolean =>
      codes.includes(event.code) && event.remoteAddress === source;
    return this.#find(`${codes.join(' or ')} of ${source}`, isOne, source);
  }

  /** When it fails, it says what there is instead. */
  #find(what: string, is: (event: AuditEvent) => boolean, source: string | undefined): Promise<AuditEvent> {
    const probe = async (): Promise<AuditEvent> => {
      const events = await this.all();
      const found = events.find(is);
      if (found !== undefined) return found;
      const others = events
        .filter((event) => source === undefined || event.remoteAddress === source)
        .slice(-5);
      throw new Error(
        `there is ${others.map(({ code, actor, reason }) => `${code} (${actor}: ${reason})`).join()}`,
      );
    };
    return waitFor(`the audit event ${what}`, probe, { timeoutMs: PATIENCE_MS, everyMs: 100 });
  }

  /** All events there are. */
  async all(): Promise<AuditEvent[]> {
    const events: AuditEvent[] = [];
    const since = durationFromMs(HOUR);
    for await (const answer of this.#client.tailAudit({ since }, { timeoutMs: PATIENCE_MS })) {
      events.push(...answer.events);
    }
    return events;
  }
}

function matches({ code, source, actor, reason, subject, details = {} }: ExpectedEvent) {
  return (event: AuditEvent): boolean =>
    event.code === code &&
    (source === undefined || event.remoteAddress === source) &&
    (actor === undefined || event.actor === actor) &&
    (reason === undefined || reason.test(event.reason)) &&
    (subject === undefined || event.subjects.includes(subject)) &&
    Object.entries(details).every(([name, value]) => event.details[name] === value);
}

function readable(_name: string, value: unknown): unknown {
  return value instanceof RegExp ? String(value) : value;
}

import { beforeAll, describe, expect, it } from '@jest/globals';
import * as protocol from '@tagplane/protocol';
import { DEFAULT_CONNECTION_LIMITS } from '@tagplane/protocol';
import { fencedBlocks, readDocument, tableUnder } from './markdown.ts';
import { importSource } from './programs.ts';

let text: string;

beforeAll(async () => {
  ({ text } = await readDocument('docs/security.md'));
});

describe('the table of who may call what', () => {
  const roles = ['agent', 'discovery', 'operator'] as const;
  interface Method {
    readonly parent: { readonly typeName: string };
    readonly name: string;
  }
  type Authorise = (method: Method, peer: object | undefined) => void;

  async function mayCall(method: string): Promise<(peer: object | undefined) => boolean> {
    const { authorise } = (await importSource('apps/auth/src/authorise.ts')) as {
      readonly authorise: Authorise;
    };
    const [typeName = '', name = ''] = method.split('/');
    return (peer) => {
      try {
        authorise({ parent: { typeName }, name }, peer);
        return true;
      } catch {
        return false;
      }
    };
  }

  it('says in each cell what the service decides', async () => {
    const rows = tableUnder(text, '## Who may call what');
    const decided = await Promise.all(
      rows.map(async ([method = '']) => {
        const may = await mayCall(method.replaceAll('`', ''));
        const cells = [
          ...roles.map((role) => may({ role, name: 'a', proof: 'certificate' })),
          may(undefined),
        ];
        return [method, ...cells.map((yes) => (yes ? 'yes' : ''))];
      }),
    );
    expect(rows).toEqual(decided);
  });

  it('has every method that is served', () => {
    const methods = Object.values(protocol).flatMap((each) =>
      typeof each === 'object' && 'kind' in each && each.kind === 'service'
        ? each.methods.map(({ name }) => `\`${each.typeName}/${name}\``)
        : [],
    );
    const named = tableUnder(text, '## Who may call what').map(([method]) => method);
    expect(methods.length).toBeGreaterThan(20);
    expect(methods.filter((method) => !named.includes(method))).toEqual([]);
  });
});

describe('what is said of the audit', () => {
  it('has every code, with what it means', async () => {
    const { AUDIT_CODES } = (await importSource('apps/auth/src/audit/codes.ts')) as {
      readonly AUDIT_CODES: Readonly<Record<string, string>>;
    };
    const rows = tableUnder(text, '## Audit');
    expect(rows).toEqual(Object.entries(AUDIT_CODES).map(([code, means]) => [`\`${code}\``, means]));
  });

  it('shows an event in the form that is written', async () => {
    const { decodeEvent, eventLine } = (await importSource('apps/auth/src/audit/event.ts')) as {
      readonly decodeEvent: (value: string) => object | undefined;
      readonly eventLine: (event: object) => string;
    };
    const [shown = ''] = fencedBlocks(text, 'json');
    const event = decodeEvent(shown);
    const written: unknown = JSON.parse(eventLine(event ?? {}));
    expect(written).toEqual(JSON.parse(shown));
  });
});

describe('the table of limits', () => {
  async function configured(): Promise<Record<string, number>> {
    const { authConfig } = (await importSource('apps/auth/src/config.ts')) as {
      readonly authConfig: {
        parse(value: object): {
          readonly limits: Record<string, number>;
          readonly join: { readonly exchanges: number };
          readonly admission_rate: number;
        };
      };
    };
    const { limits, join, admission_rate } = authConfig.parse({});
    const named = Object.entries(limits).map(([key, value]) => [`limits.${key}`, value] as const);
    return { ...Object.fromEntries(named), 'join.exchanges': join.exchanges, admission_rate };
  }

  it('has the defaults of what can be configured', async () => {
    const rows = tableUnder(text, '## Limits');
    for (const [key, value] of Object.entries(await configured())) {
      const row = rows.find(([limit = '']) => limit.includes(`\`${key}\``));
      expect([key, Number.parseInt(row?.[1] ?? '', 10)]).toEqual([key, value]);
    }
  });

  it.each([
    ['how long one may stay so', `${DEFAULT_CONNECTION_LIMITS.unidentifiedMs / 1_000} s`],
    ['how long a handshake may take', `${DEFAULT_CONNECTION_LIMITS.handshakeMs / 1_000} s`],
    ['connections of one identity', String(DEFAULT_CONNECTION_LIMITS.perIdentity)],
  ])('has the value of %s', (limit, value) => {
    expect(tableUnder(text, '## Limits').find(([name]) => name === limit)?.[1]).toBe(value);
  });
});

import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { ROOT, readDocument, tableUnder } from './markdown.ts';
import { importSource } from './programs.ts';

let text: string;

beforeAll(async () => {
  ({ text } = await readDocument('docs/discovery.md'));
});

/** What a cell has between backticks, one or two. */
function code(cell = ''): string {
  return /^(`+) ?(.*?) ?\1$/.exec(cell)?.[2] ?? cell;
}

interface Shape {
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly items?: Shape;
  readonly default?: unknown;
}

/** Every key that can be set, as the page writes it; no deeper than a block's own maps. */
function keysOf(shape: Shape, path = ''): string[] {
  const inside = shape.items === undefined ? [] : keysOf(shape.items, `${path}[]`);
  const own = Object.entries(shape.properties ?? {}).flatMap(([name, each]) => {
    const key = path === '' ? name : `${path}.${name}`;
    return [key, ...keysOf(each, key)];
  });
  return [...own, ...inside];
}

describe('the keys of docs/discovery.md', () => {
  /** Told of in the row of the key above them. */
  const TOLD_ABOVE =
    /^(?:auth|quota|events\[\]\.assume_role\..+|aws\[\]\.organization\.(?:include|exclude|assume_role)\..+|aws\[\]\.import\..+|aws\[\]\.enroll\.agent\..+)$/;
  /** Of every service. */
  const COMMON = /^(?:tls|join|data_dir|diagnostics|log_level)(?:\.|$)/;

  it('are all that there are', async () => {
    const { configSchema } = (await importSource('apps/discovery/src/config.ts')) as {
      configSchema: z.ZodType;
    };
    const shape = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as Shape;
    const keys = keysOf(shape).filter((key) => !TOLD_ABOVE.test(key) && !COMMON.test(key));
    const told = tableUnder(text, '## Keys').map(([key]) => code(key));
    expect(keys.length).toBeGreaterThan(35);
    expect(told.toSorted()).toEqual(keys.toSorted());
  });

  it('have the defaults that are told', async () => {
    const { configSchema } = (await importSource('apps/discovery/src/config.ts')) as {
      configSchema: { parse(value: object): Record<string, unknown> };
    };
    const enroll = {
      agent: {
        installer_url: 'https://a',
        installer_sha256: 'a'.repeat(64),
        url: 'https://a',
        sha256: { x64: 'a'.repeat(64) },
      },
      auth_addresses: ['a:1'],
      ca_pins: [`sha256:${'a'.repeat(64)}`],
    };
    const role = { role_name: 'r' };
    const config = configSchema.parse({
      auth: { address: 'a:1' },
      aws: [{ regions: ['eu-west-1'], organization: {}, assume_role: role, enroll }],
      events: [{ queue: 'https://sqs.eu-west-1.amazonaws.com/1/a' }],
    });
    const at = (path: string): unknown =>
      path
        .replaceAll('[]', '.0')
        .split('.')
        .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], config);
    const durations: Readonly<Record<string, number>> = { '5m': 300_000, '15m': 900_000 };
    const told = tableUnder(text, '## Keys')
      .map(([key, value = '']) => [code(key), durations[value] ?? value] as const)
      .filter(([, value]) => typeof value === 'number' || /^[\d.]+$|^token$|^AWS-/.test(value));
    expect(told.length).toBeGreaterThan(8);
    for (const [key, value] of told) expect([key, String(at(key))]).toEqual([key, String(value)]);
  });
});

describe('the messages of docs/discovery.md', () => {
  it('are messages that the code has', async () => {
    const sources = (await allSources()).replaceAll('\\`', '`').replaceAll("\\'", "'");
    const rows = tableUnder(text, '## Troubleshooting').map(([message]) => code(message));
    expect(rows.length).toBeGreaterThan(20);
    const pieces = rows.flatMap((row) => row.split('…').map((piece) => ({ row, piece: piece.trim() })));
    const known = pieces.filter(({ piece }) => piece.length > 3);
    expect(known.length).toBeGreaterThanOrEqual(rows.length);
    expect(known.filter(({ piece }) => !sources.includes(piece))).toEqual([]);
  });
});

async function allSources(): Promise<string> {
  const texts: string[] = [];
  for (const top of ['apps', 'libs']) {
    for (const path of await readdir(join(ROOT, top), { recursive: true })) {
      if (!/^[^/]+\/src\/.*\.ts$/.test(path) || /\.spec\.ts$|\/testing\//.test(path)) continue;
      texts.push(await readFile(join(ROOT, top, path), 'utf8'));
    }
  }
  return texts.join('\n');
}

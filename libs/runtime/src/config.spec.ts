import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { addressField, durationField } from './config-fields.ts';
import type { Environment } from './config.ts';
import { ConfigError, loadConfig } from './config.ts';

const schema = z.strictObject({
  listen: addressField.prefault(':7420'),
  poll_interval: durationField({ min: '1s', max: '1h' }).prefault('5m'),
  store: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('redis'), url: z.string() }),
      z.strictObject({ type: z.literal('embedded'), path: z.string().default('data') }),
    ])
    .default({ type: 'embedded', path: 'data' }),
  auth: z.strictObject({ addresses: z.array(addressField).default([]) }).prefault({}),
  aws: z.array(z.strictObject({ regions: z.array(z.string()) })).default([]),
  labels: z.record(z.string(), z.string()).default({}),
  workers: z.number().int().optional(),
});

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tagplane-config-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function load(yaml: string | undefined, env: Environment = {}): z.output<typeof schema> {
  const file = yaml === undefined ? undefined : join(folder, 'service.yaml');
  if (file !== undefined) writeFileSync(file, yaml ?? '');
  return loadConfig(schema, { file, env });
}

function problemOf(yaml: string | undefined, env: Environment = {}): string {
  try {
    load(yaml, env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message.replaceAll(folder, 'DIR');
  }
  throw new Error('it is valid');
}

describe('loadConfig', () => {
  it.each([undefined, '', '# nothing\n', '{}', '---\n'])('of %j is all defaults', (yaml) => {
    expect(load(yaml)).toEqual({
      listen: { host: '127.0.0.1', port: 7420 },
      poll_interval: 300_000,
      store: { type: 'embedded', path: 'data' },
      auth: { addresses: [] },
      aws: [],
      labels: {},
    });
  });

  it('reads the file, and the environment over it', () => {
    const yaml = 'listen: 0.0.0.0:1\npoll_interval: 1m\nstore: {type: redis, url: "redis://a"}\nworkers: 2\n';
    expect(load(yaml)).toMatchObject({ listen: { port: 1 }, poll_interval: 60_000, workers: 2 });
    const env = {
      TAGPLANE_LISTEN: '[::1]:2',
      TAGPLANE_POLL_INTERVAL: '2m',
      TAGPLANE_STORE_URL: 'redis://b',
      TAGPLANE_WORKERS: '3',
    };
    expect(load(yaml, env)).toMatchObject({
      listen: { host: '::1', port: 2 },
      poll_interval: 120_000,
      store: { type: 'redis', url: 'redis://b' },
      workers: 3,
    });
  });

  it('builds nested keys, and lists and maps in YAML, from variables alone', () => {
    const config = load(undefined, {
      TAGPLANE_STORE_TYPE: 'redis',
      TAGPLANE_STORE_URL: 'redis://a:6379/0?x=[1]',
      TAGPLANE_AUTH_ADDRESSES: '[a:1, "[::1]:2"]',
      TAGPLANE_AWS: '[{regions: [eu-central-1, us-gov-west-1]}]',
      TAGPLANE_LABELS: '{team: a, "a b": "1"}',
    });
    expect(config).toMatchObject({
      store: { type: 'redis', url: 'redis://a:6379/0?x=[1]' },
      auth: { addresses: [{ host: 'a', port: 1 }, { host: '::1', port: 2 }] }, // prettier-ignore
      aws: [{ regions: ['eu-central-1', 'us-gov-west-1'] }],
      labels: { team: 'a', 'a b': '1' },
    });
  });

  it.each(['123', 'true', 'null', '[a]', '"x"', ' x ', '{', ''])(
    'takes text from a variable as it is: %j',
    (text) => {
      const env = { TAGPLANE_STORE_TYPE: 'embedded', TAGPLANE_STORE_PATH: text };
      expect(load(undefined, env).store).toEqual({ type: 'embedded', path: text });
    },
  );

  it('leaves variables of others alone, and its own when not set', () => {
    const env = { TAGPLANE_OTHER: 'x', LISTEN: ':1', TAGPLANE_LISTEN: undefined, TAGPLANE_STORE: 'x' };
    expect(load(undefined, env)).toEqual(load(undefined));
  });

  it('gives an object that nobody can change', () => {
    const config = load('aws: [{regions: [a]}]\n');
    for (const part of [config, config.listen, config.store, config.aws, config.aws[0]?.regions]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it('leaves alone what a schema turned into something else', () => {
    const bytes = z.strictObject({ k: z.string().transform((text) => Buffer.from(text)) });
    const config = loadConfig(bytes, { file: undefined, env: { TAGPLANE_K: 'abc' } });
    expect(config.k.toString()).toBe('abc');
  });

  it.each<[string, Environment, string]>([
    ['listen: x', {}, 'listen: expected HOST:PORT'],
    ['lisetn: ":1"', {}, 'lisetn: unknown key'],
    ['store: {type: redis}', {}, 'store.url: required'],
    ['store: {type: redis, url: a, pasword: b}', {}, 'store.pasword: unknown key'],
    ['store:', {}, 'store: expected object, received null'],
    ['workers: many', {}, 'workers: expected number, received string'],
    ['aws: [{}]', {}, 'aws.0.regions: required'],
    ['', { TAGPLANE_STORE_TYPE: 'redis' }, 'store.url: required'],
    ['', { TAGPLANE_WORKERS: 'many' }, 'workers: expected number, received string'],
    ['', { TAGPLANE_AWS: 'eu-central-1' }, 'aws: expected array, received string'],
    ['store: x', { TAGPLANE_STORE_TYPE: 'redis' }, 'store.url: required'],
    ['- a', {}, 'DIR/service.yaml: expected keys and values at the top'],
    ['text', {}, 'DIR/service.yaml: expected keys and values at the top'],
  ])('%j with %j: %s', (yaml, env, expected) => {
    expect(problemOf(yaml, env)).toBe(expected);
  });

  it.each([
    ['a: [', /^DIR\/service\.yaml: not YAML: [^\n]+$/],
    ['a: 1\na: 2', /^DIR\/service\.yaml: not YAML: Map keys must be unique at line 2, column 1$/],
    ['a: 1\n---\nb: 2', /^DIR\/service\.yaml: not YAML: [^\n]+$/],
    ['url: redis://:secret@host: 1', /^DIR\/service\.yaml: not YAML: (?!.*secret)[^\n]+$/],
  ])('says of the file %j that it is not YAML, on one line and without its text', (yaml, expected) => {
    expect(problemOf(yaml)).toMatch(expected);
  });

  it('says which variable is not YAML', () => {
    expect(problemOf('', { TAGPLANE_AWS: '[{' })).toMatch(/^TAGPLANE_AWS: not YAML: [^\n]+$/);
  });

  it.each([
    ['missing.yaml', /missing\.yaml: cannot be read: .*ENOENT/],
    ['.', /cannot be read: .*EISDIR/],
  ])('says of the file %s why it cannot be read', (name, expected) => {
    expect(() => loadConfig(schema, { file: join(folder, name), env: {} })).toThrow(expected);
  });
});

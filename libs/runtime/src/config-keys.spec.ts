import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { addressField, durationField, logLevelField } from './config-fields.ts';
import { configKeys } from './config-keys.ts';

const duration = durationField({ min: '1s', max: '1h' });

/** The one key that a schema of one key `k` has. */
function only(field: z.ZodType): unknown {
  const keys = configKeys(z.strictObject({ k: field }));
  expect(keys).toHaveLength(1);
  return keys[0];
}

describe('configKeys', () => {
  it.each<[string, z.ZodType, { text: boolean; default?: unknown; description?: string }]>([
    ['a string', z.string(), { text: true }],
    ['an optional string', z.string().optional(), { text: true }],
    ['a nullable string', z.string().nullable(), { text: true }],
    ['a default', z.string().default('x'), { text: true, default: 'x' }],
    ['a description', z.string().describe('What it is.'), { text: true, description: 'What it is.' }],
    [
      'a description and a default',
      z.string().default('x').describe('D'),
      { text: true, default: 'x', description: 'D' },
    ],
    ['a transform, by its input', duration, { text: true }],
    ['a transform with a default, as written', duration.prefault('5m'), { text: true, default: '5m' }],
    ['an address', addressField.optional(), { text: true }],
    ['an enumeration', logLevelField.default('info'), { text: true, default: 'info' }],
    ['a number', z.number().default(5), { text: false, default: 5 }],
    ['a boolean', z.boolean(), { text: false }],
    ['a list', z.array(z.string()), { text: false }],
    ['a list of objects', z.array(z.strictObject({ a: z.string() })), { text: false }],
    ['free keys', z.record(z.string(), z.string()), { text: false }],
    ['a string or a number', z.union([z.string(), z.number()]), { text: true }],
    ['a string or a list', z.union([z.string(), z.array(z.string())]), { text: false }],
  ])('of %s', (_, field, expected) => {
    expect(only(field)).toEqual({
      path: ['k'],
      variable: 'TAGPLANE_K',
      description: '',
      default: undefined,
      ...expected,
    });
  });

  it('goes into objects, optional, defaulted and nullable ones too, in order', () => {
    const inner = z.strictObject({ key_file: z.string() });
    const schema = z.strictObject({
      a: inner,
      b_c: inner.optional(),
      d: z.strictObject({ e: z.strictObject({ f: z.number().default(1) }).prefault({}) }).prefault({}),
      g: inner.nullable().default(null),
      last: z.string(),
    });
    expect(configKeys(schema).map(({ path, variable }) => `${path.join('.')} ${variable}`)).toEqual([
      'a.key_file TAGPLANE_A_KEY_FILE',
      'b_c.key_file TAGPLANE_B_C_KEY_FILE',
      'd.e.f TAGPLANE_D_E_F',
      'g.key_file TAGPLANE_G_KEY_FILE',
      'last TAGPLANE_LAST',
    ]);
  });

  it('merges what the alternatives of a union have, also under a nested union', () => {
    const redis = z.strictObject({ type: z.literal('redis'), url: z.string().describe('Where.') });
    const embedded = z.strictObject({ type: z.literal('embedded'), path: z.string() });
    const store = z.discriminatedUnion('type', [redis, embedded]);
    const names = (schema: z.ZodType): string[] =>
      configKeys(schema).map(({ variable, text }) => `${variable} ${text}`);
    const expected = ['TAGPLANE_STORE_TYPE true', 'TAGPLANE_STORE_URL true', 'TAGPLANE_STORE_PATH true'];
    expect(names(z.strictObject({ store }))).toEqual(expected);
    expect(names(z.strictObject({ store: store.nullable().optional() }))).toEqual(expected);
    expect(names(z.strictObject({ store: store.default({ type: 'embedded', path: 'x' }) }))).toEqual(
      expected,
    );
    expect(names(z.strictObject({ store: z.union([z.string(), store]) }))).toEqual([
      'TAGPLANE_STORE true',
      ...expected,
    ]);
  });

  it('takes an intersection for one object', () => {
    const both = z.intersection(z.object({ a: z.string() }), z.object({ b: z.number() }));
    expect(configKeys(z.object({ x: both })).map(({ variable }) => variable)).toEqual([
      'TAGPLANE_X_A',
      'TAGPLANE_X_B',
    ]);
  });

  it('refuses a schema in which two keys share a variable', () => {
    const schema = z.strictObject({
      poll: z.strictObject({ interval: z.string() }),
      poll_interval: z.string(),
    });
    expect(() => configKeys(schema)).toThrow(
      'the variable TAGPLANE_POLL_INTERVAL cannot also stand for the key poll_interval',
    );
    expect(() => configKeys(z.strictObject({ config: z.string() }))).toThrow('TAGPLANE_CONFIG');
  });

  it('of a schema without keys is empty', () => {
    expect(configKeys(z.strictObject({}))).toEqual([]);
    expect(configKeys(z.record(z.string(), z.string()))).toEqual([]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { addressField, durationField } from './config-fields.ts';
import { configProblem } from './config-problem.ts';

const redis = z.strictObject({ type: z.literal('redis'), url: z.string() });
const embedded = z.strictObject({ type: z.literal('embedded'), path: z.string() });

function problem(schema: z.ZodType, input: unknown): string {
  const result = schema.safeParse(input);
  if (result.success) throw new Error('it is valid');
  return configProblem(result.error, input);
}

describe('configProblem', () => {
  const schema = z.strictObject({
    listen: addressField.prefault(':7420'),
    poll_interval: durationField({ min: '10s', max: '1h' }).optional(),
    level: z.enum(['info', 'warn']).default('info'),
    port: z.number().int().min(1).optional(),
    aws: z.array(z.strictObject({ regions: z.array(z.string()).min(1) })).optional(),
    labels: z.record(z.string(), z.string()).optional(),
    needed: z.strictObject({ name: z.string() }),
  });
  const needed = { name: 'x' };

  it.each<[unknown, string]>([
    [{}, 'needed: required'],
    [{ needed: {} }, 'needed.name: required'],
    [{ needed: { name: null } }, 'needed.name: expected string, received null'],
    [{ needed: { name: 7 } }, 'needed.name: expected string, received number'],
    [{ needed: 'x' }, 'needed: expected object, received string'],
    [{ needed: { ...needed, nmae: 'y' } }, 'needed.nmae: unknown key'],
    [{ neeeded: needed }, 'neeeded: unknown key'],
    [{ needed, port: 'x' }, 'port: expected number, received string'],
    [{ needed, port: 0 }, 'port: expected number to be >=1'],
    [{ needed, level: 'loud' }, 'level: expected one of "info", "warn"'],
    [{ needed, listen: 'nowhere' }, 'listen: expected HOST:PORT'],
    [{ needed, listen: 7420 }, 'listen: expected HOST:PORT'],
    [{ needed, poll_interval: '5' }, 'poll_interval: expected a duration such as 90s or 5m'],
    [{ needed, poll_interval: 5 }, 'poll_interval: expected a duration such as 90s or 5m'],
    [{ needed, poll_interval: '1ms' }, 'poll_interval: expected between 10s and 1h'],
    [{ needed, aws: [{ regions: ['a'] }, {}] }, 'aws.1.regions: required'],
    [{ needed, aws: [{ regions: [1] }] }, 'aws.0.regions.0: expected string, received number'],
    [{ needed, aws: [{ regions: [], x: 1 }] }, 'aws.0.x: unknown key'],
    [{ needed, labels: { a: 1 } }, 'labels.a: expected string, received number'],
    [{ needed, constructor: 1 }, 'constructor: unknown key'],
    [JSON.parse('{"needed":{"name":"x"},"__proto__":{}}'), '__proto__: unknown key'],
    ['text', 'configuration: expected object, received string'],
    [undefined, 'configuration: required'],
  ])('of %j is "%s"', (input, expected) => {
    expect(problem(schema, input)).toBe(expected);
  });

  it.each<[unknown, string]>([
    [{}, 'store: required'],
    [{ store: {} }, 'store.type: required'],
    [{ store: 'redis' }, 'store: expected object, received string'],
    [{ store: { type: 'redis' } }, 'store.url: required'],
    [{ store: { type: 'redis', url: 1 } }, 'store.url: expected string, received number'],
    [{ store: { type: 'embedded' } }, 'store.path: required'],
    [{ store: { type: 'embedded', path: 'x', url: 'y' } }, 'store.url: unknown key'],
  ])('names the deepest key in a union, told apart by its type or not: %j', (input, expected) => {
    const told = z.strictObject({ store: z.discriminatedUnion('type', [redis, embedded]) });
    expect(problem(told, input)).toBe(expected);
    for (const order of [[redis, embedded] as const, [embedded, redis] as const]) {
      const plain = z.strictObject({ store: z.union(order) });
      // Without a discriminator zod cannot know that `type` is what is missing.
      const known =
        expected !== 'store.type: required' && expected !== 'store: expected object, received string';
      expect(problem(plain, input)).toMatch(known ? expected : /^store\S*: /);
    }
  });

  it('says which types there are', () => {
    const told = z.strictObject({ store: z.discriminatedUnion('type', [redis, embedded]) });
    expect(problem(told, { store: { type: 'mysql' } })).toMatch(/^store\.type: .*'redis' \| 'embedded'$/);
  });

  it.each<[z.ZodType, unknown, string]>([
    [z.union([z.string(), z.number()]), true, 'k: expected string or number'],
    [z.union([z.literal('auto'), z.number()]), 'x', 'k: expected auto or number'],
    [z.union([addressField, z.array(addressField)]), 'x', 'k: expected HOST:PORT'],
    [z.union([addressField, z.array(addressField)]), ['h:1', 'x'], 'k.1: expected HOST:PORT'],
    [z.union([addressField, z.array(addressField)]), undefined, 'k: required'],
    [z.union([redis, embedded]).nullable(), { type: 'redis' }, 'k.url: required'],
    [
      z.union([z.strictObject({ a: z.strictObject({ b: z.number() }) }), z.strictObject({ c: z.string() })]),
      { a: { b: 'x' } },
      'k.a.b: expected number, received string',
    ],
    [
      z.union([z.string(), z.union([redis, z.number()])]),
      { type: 'redis', url: 1 },
      'k.url: expected string, received number',
    ],
  ])('looks into a union (%#)', (field, value, expected) => {
    expect(problem(z.strictObject({ k: field }), { k: value })).toBe(expected);
  });

  it('is one line without the value', () => {
    const field = z.string().refine(() => false, { message: 'first\nsecond' });
    expect(problem(z.strictObject({ k: field }), { k: 'secret' })).toBe('k: first');
  });
});

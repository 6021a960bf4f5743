import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { z } from 'zod';
import type { ConfigKey } from './config-keys.ts';
import { configKeys } from './config-keys.ts';
import { configProblem } from './config-problem.ts';
import { errorMessage } from './error-message.ts';

/** A configuration that cannot be used. The message is one line and names the key or the file. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads a service's configuration: the YAML file, if one is named, then the environment variables
 * (`TAGPLANE_` + path, upper case, `_`) over it.
 *
 * @returns the schema's output, deeply frozen
 * @throws ConfigError on the first thing that is wrong
 */
export function loadConfig<Schema extends z.ZodType>(
  schema: Schema,
  source: { readonly file: string | undefined; readonly env: Environment },
): z.output<Schema> {
  const written = source.file === undefined ? {} : readYaml(source.file);
  const input = withEnvironment(written, configKeys(schema), source.env);
  const result = schema.safeParse(input);
  if (result.success) return deepFreeze(result.data);
  throw new ConfigError(configProblem(result.error, input));
}

function readYaml(file: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`${file}: cannot be read: ${errorMessage(error)}`, { cause: error });
  }
  const value = parseYaml(file, text);
  if (value === null || value === undefined) return {};
  if (!isRecord(value)) throw new ConfigError(`${file}: expected keys and values at the top`);
  return value;
}

/** @param source the file or the variable that holds the text */
function parseYaml(source: string, text: string): unknown {
  try {
    return parse(text, { logLevel: 'error' });
  } catch (error) {
    // After its first line the parser quotes the text, secrets and all.
    const problem = (errorMessage(error).split('\n', 1)[0] ?? '').replace(/:$/, '');
    throw new ConfigError(`${source}: not YAML: ${problem}`);
  }
}

function withEnvironment(
  written: Record<string, unknown>,
  keys: readonly ConfigKey[],
  env: Environment,
): Record<string, unknown> {
  const input = structuredClone(written);
  for (const key of keys) {
    const text = env[key.variable];
    if (text !== undefined) assign(input, key, key.text ? text : parseYaml(key.variable, text));
  }
  return input;
}

function assign(input: Record<string, unknown>, key: ConfigKey, value: unknown): void {
  let target = input;
  for (const name of key.path.slice(0, -1)) {
    const next = target[name];
    const nested = isRecord(next) ? next : {};
    target[name] = nested;
    target = nested;
  }
  target[key.path.at(-1) ?? ''] = value;
}

function deepFreeze<Value>(value: Value, seen = new Set<unknown>()): Value {
  if (typeof value !== 'object' || value === null || seen.has(value)) return value;
  // A buffer's bytes cannot be frozen.
  if (ArrayBuffer.isView(value)) return value;
  seen.add(Object.freeze(value));
  for (const child of Object.values(value)) deepFreeze(child, seen);
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

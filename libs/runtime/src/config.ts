import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { z } from 'zod';
import type { ConfigKey } from './config-keys.ts';
import { configKeys } from './config-keys.ts';

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
  throw new ConfigError(firstProblem(result.error));
}

function readYaml(file: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`${file}: cannot be read: ${messageOf(error)}`, { cause: error });
  }
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw new ConfigError(`${file}: not YAML: ${firstLine(messageOf(error))}`, { cause: error });
  }
  if (value === null || value === undefined) return {};
  if (!isRecord(value)) throw new ConfigError(`${file}: expected keys and values at the top`);
  return value;
}

function withEnvironment(
  written: Record<string, unknown>,
  keys: readonly ConfigKey[],
  env: Environment,
): Record<string, unknown> {
  const input = structuredClone(written);
  for (const key of keys) {
    const text = env[key.variable];
    if (text !== undefined) assign(input, key, key.text ? text : parseVariable(key, text));
  }
  return input;
}

function parseVariable(key: ConfigKey, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new ConfigError(`${key.variable}: not YAML: ${firstLine(messageOf(error))}`, { cause: error });
  }
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

function firstProblem(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return 'invalid configuration';
  const path = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    return `${[path, issue.keys[0]].filter((part) => part !== '' && part !== undefined).join('.')}: unknown key`;
  }
  const missing = issue.code === 'invalid_type' && issue.input === undefined;
  return `${path === '' ? 'configuration' : path}: ${missing ? 'required' : firstLine(issue.message)}`;
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) deepFreeze(child);
  }
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

import * as z from 'zod';

/** One key of a configuration, for `--help` and for its environment variable. */
export interface ConfigKey {
  /** Such as `['store', 'url']`. */
  readonly path: readonly string[];
  /** Such as `TAGPLANE_STORE_URL`. */
  readonly variable: string;
  readonly description: string;
  readonly default: unknown;
  /** Whether a variable's text is the value itself; otherwise it is read as YAML. */
  readonly text: boolean;
}

/** Names the configuration file; no key may claim it. */
export const CONFIG_FILE_VARIABLE = 'TAGPLANE_CONFIG';

interface SchemaNode {
  /** Simple alternatives stand together: `['string', 'null']`. */
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly allOf?: readonly SchemaNode[];
}

/**
 * The keys of a schema, depth first, in the schema's order; the alternatives of a union are merged.
 *
 * @throws Error when two keys would share one variable: a mistake in the schema
 */
export function configKeys(schema: z.ZodType): ConfigKey[] {
  const root = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as SchemaNode;
  const keys = new Map<string, ConfigKey>();
  collect(root, [], keys);
  return [...keys.values()];
}

function collect(node: SchemaNode, path: readonly string[], keys: Map<string, ConfigKey>): void {
  const alternatives = alternativesOf(node);
  const leaves = alternatives.filter(
    (alternative) => alternative.properties === undefined && alternative.type !== 'null',
  );
  if (path.length > 0 && leaves.length > 0) add(keyOf(node, path, leaves), keys);
  for (const { properties } of alternatives) {
    for (const [name, child] of Object.entries(properties ?? {})) collect(child, [...path, name], keys);
  }
}

/** The shapes that a value may have: the node itself, or what its unions and intersections are made of. */
function alternativesOf(node: SchemaNode): SchemaNode[] {
  const parts = [...(node.anyOf ?? []), ...(node.oneOf ?? []), ...(node.allOf ?? [])];
  return parts.length === 0 ? [node] : parts.flatMap(alternativesOf);
}

function keyOf(node: SchemaNode, path: readonly string[], leaves: readonly SchemaNode[]): ConfigKey {
  const types = new Set(leaves.flatMap((leaf) => leaf.type ?? []));
  return {
    path,
    variable: `TAGPLANE_${path.join('_').toUpperCase()}`,
    description: node.description ?? '',
    default: node.default,
    text: types.has('string') && !types.has('array') && !types.has('object'),
  };
}

function add(key: ConfigKey, keys: Map<string, ConfigKey>): void {
  const known = keys.get(key.variable);
  const taken = known !== undefined && known.path.join('.') !== key.path.join('.');
  if (taken || key.variable === CONFIG_FILE_VARIABLE) {
    throw new Error(`the variable ${key.variable} cannot also stand for the key ${key.path.join('.')}`);
  }
  if (known === undefined) keys.set(key.variable, key);
}

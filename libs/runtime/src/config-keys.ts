import { z } from 'zod';

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

interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
}

/** The keys of a schema, depth first, in the schema's order; the alternatives of a union are merged. */
export function configKeys(schema: z.ZodType): ConfigKey[] {
  const root = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as SchemaNode;
  const keys = new Map<string, ConfigKey>();
  collect(root, [], keys);
  return [...keys.values()];
}

function collect(node: SchemaNode, path: readonly string[], keys: Map<string, ConfigKey>): void {
  const alternatives = [node, ...(node.anyOf ?? []), ...(node.oneOf ?? [])];
  const objects = alternatives.filter((alternative) => alternative.properties !== undefined);
  if (objects.length === 0) {
    const variable = `TAGPLANE_${path.join('_').toUpperCase()}`;
    if (keys.has(variable)) return;
    const text = alternatives.some((alternative) => alternative.type === 'string');
    keys.set(variable, { path, variable, description: node.description ?? '', default: node.default, text });
    return;
  }
  for (const object of objects) {
    for (const [name, child] of Object.entries(object.properties ?? {}))
      collect(child, [...path, name], keys);
  }
}

import type { ServerInfoDraft } from '@tagplane/serverinfo';
import { draftProblem } from '@tagplane/serverinfo';
import { parseFile } from './documents.ts';
import type { FileDocument } from './documents.ts';
import { issueTexts, typeText } from './issues.ts';
import { roleSchema } from './role-schema.ts';
import type { RoleDraft } from './role-schema.ts';
import { serverInfoSchema } from './schema.ts';

/** One thing that a file asks for. */
export type Resource =
  | { readonly kind: 'server_info'; readonly name: string; readonly draft: ServerInfoDraft }
  | ({ readonly kind: 'role'; readonly name: string } & RoleDraft);

/** What a file asks to create, in its order, or every reason why it cannot be. */
export interface Resources {
  readonly resources: readonly Resource[];
  /** One each, with the document and the path in it; when there is any, nothing is to be sent. */
  readonly problems: readonly string[];
}

/**
 * Reads a file of documents strictly: an unknown key is a mistake, not a comment.
 *
 * @param now Unix milliseconds: an end is written as a time, and sent as what is left
 */
export function readResources(text: string, now: number): Resources {
  const { documents, problems: broken } = parseFile(text);
  const problems = [...broken];
  const resources: Resource[] = [];
  const places = new Map<string, string>();
  for (const document of documents) {
    const { place } = document;
    const read = readResource(document.value, now);
    problems.push(...read.problems.map((problem) => `${place}: ${problem}`));
    if (read.resource === undefined) continue;
    const { kind, name } = read.resource;
    const earlier = places.get(`${kind} ${name}`);
    if (earlier !== undefined) {
      problems.push(`${place}: metadata.name: ${name} is the name of ${earlier} too`);
    }
    places.set(`${kind} ${name}`, place);
    resources.push(read.resource);
  }
  return { resources, problems };
}

interface Read {
  readonly resource?: Resource;
  readonly problems: readonly string[];
}

function readResource(value: FileDocument['value'], now: number): Read {
  const kind = kindOf(value);
  if (kind === 'role') {
    const result = roleSchema.safeParse(value, { reportInput: true });
    if (!result.success) return { problems: result.error.issues.flatMap(issueTexts) };
    const { role, revision } = result.data;
    return { resource: { kind, name: role.name, role, revision }, problems: [] };
  }
  if (kind !== undefined && kind !== 'server_info') {
    return { problems: [`kind: ${typeText('server_info or role', kind)}`] };
  }
  const result = serverInfoSchema(now).safeParse(value, { reportInput: true });
  if (!result.success) return { problems: result.error.issues.flatMap(issueTexts) };
  const draft = result.data;
  const refusal = draftProblem(draft, 'operator');
  return {
    resource: { kind: 'server_info', name: draft.name, draft },
    problems: refusal === undefined ? [] : [`spec: ${refusal.reason}`],
  };
}

/** Undefined when there is none, or the value is no document at all. */
function kindOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return (value as { kind?: unknown }).kind;
}

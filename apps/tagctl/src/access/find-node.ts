import { Code, ConnectError } from '@connectrpc/connect';
import type { InstanceKey } from '@tagplane/identity';
import { parseInstanceKey } from '@tagplane/identity';
import type { Node } from '@tagplane/protocol';
import type { CommandContext } from '../context.ts';
import { TagctlError, usageError } from '../errors.ts';
import { pages } from '../pages.ts';

/** What a person calls a node: a server id, `ACCOUNT/REGION/ID`, or `i-…`. */
export type Subject =
  | { readonly kind: 'instance'; readonly instance: InstanceKey }
  /** A server id may look like an instance's id: it is looked for as both. */
  | { readonly kind: 'id'; readonly id: string; readonly maybeInstance: boolean };

/** @throws TagctlError (usage) when it is nothing of these */
export function readSubject(text: string): Subject {
  if (!text.includes('/')) return { kind: 'id', id: text, maybeInstance: /^i-[0-9a-f]{8,17}$/.test(text) };
  const [account = '', region = '', id = '', ...rest] = text.split('/');
  const instance = rest.length > 0 ? undefined : parseInstanceKey({ account, region, instance: id });
  if (instance !== undefined) return { kind: 'instance', instance };
  throw usageError(`expected a server id, an instance's id, or ACCOUNT/REGION/ID, got '${text}'`);
}

/** @throws TagctlError when there is none */
export async function findNode(context: CommandContext, text: string): Promise<Node> {
  const subject = readSubject(text);
  const { api, io } = context;
  if (subject.kind === 'id') {
    try {
      const { node } = await api.nodes.getNode({ serverId: subject.id }, { signal: io.signal });
      if (node !== undefined) return node;
    } catch (error) {
      if (!(error instanceof ConnectError && error.code === Code.NotFound)) throw error;
    }
  }
  const found =
    subject.kind === 'instance' || subject.maybeInstance ? await byInstance(context, subject) : undefined;
  if (found !== undefined) return found;
  throw new TagctlError(`no node '${text}'; 'tagctl nodes ls' lists them, 'tagctl explain' says more`);
}

/** The first node that says it is this instance; a connected one, if there is any. */
export async function byInstance(
  { api, io }: Pick<CommandContext, 'api' | 'io'>,
  subject: Subject,
): Promise<Node | undefined> {
  let found: Node | undefined;
  const all = pages(async (request) => {
    const page = await api.nodes.listNodes(request, { signal: io.signal });
    return { items: page.nodes, next: page.nextPageToken };
  });
  for await (const nodes of all) {
    for (const node of nodes) {
      if (!isInstance(node, subject)) continue;
      if (node.connected) return node;
      found ??= node;
    }
  }
  return found;
}

function isInstance({ awsInstance: aws }: Node, subject: Subject): boolean {
  if (aws === undefined) return false;
  if (subject.kind === 'id') return aws.instanceId === subject.id;
  const { account, region, instance } = subject.instance;
  return aws.accountId === account && aws.region === region && aws.instanceId === instance;
}

import { Code, ConnectError } from '@connectrpc/connect';
import type { InstanceKey } from '@tagplane/identity';
import { instanceFromMessage, instanceToMessage } from '@tagplane/protocol';
import type { ExplainNodeRequest, ExplainNodeResponse } from '@tagplane/protocol';
import { parseDiscoveredName } from '@tagplane/serverinfo';
import type { Subject } from '../access/find-node.ts';
import { byInstance, readSubject } from '../access/find-node.ts';
import type { CommandBody, CommandContext } from '../context.ts';
import { EXIT_FAILED, EXIT_OK, TagctlError } from '../errors.ts';
import { printDocument } from '../format/print.ts';
import { pages } from '../pages.ts';
import { explanationLines } from '../views/explanation-text.ts';
import { explanationView } from '../views/explanation.ts';

/** `explain NODE [LABEL]`: exit 1 when nobody says the label. */
export function explainNode(text: string, key: string | undefined): CommandBody {
  return async (context) => {
    const { format, io } = context;
    const response = await askFor(context, readSubject(text));
    if (response === undefined) {
      throw new TagctlError(
        `nothing is known of '${text}': no agent has spoken for it, and discovery has not seen it; is its account and region scanned, and does discovery's tags filter let it pass?`,
      );
    }
    const whole = explanationView(response);
    const labels = key === undefined ? whole.labels : whole.labels.filter((label) => label.key === key);
    const view = { ...whole, labels };
    if (format === 'table') {
      const lines = explanationLines(view, io.now());
      await io.stdout.write(lines.map((line) => `${line}\n`).join(''));
    } else {
      await printDocument(format, view, io);
    }
    if (key === undefined || labels.length > 0) return EXIT_OK;
    if (format === 'table') await io.stderr.write(`${missing(key)}\n`);
    return EXIT_FAILED;
  };
}

function missing(key: string): string {
  if (key.startsWith('aws/')) {
    return `tagctl: nobody says ${key}: EC2 had no such tag when it was last asked, or there is no fresh word of discovery`;
  }
  if (key.startsWith('dynamic/')) {
    return `tagctl: nobody says ${key}: no ServerInfo of an operator that matches this node has it`;
  }
  return `tagctl: nobody says ${key}: it would be of the agent's own configuration or commands`;
}

/** Undefined when nothing is known of it. */
async function askFor(context: CommandContext, subject: Subject): Promise<ExplainNodeResponse | undefined> {
  if (subject.kind === 'instance') return await askInstance(context, subject.instance);
  const byId = await ask(context, { case: 'serverId', value: subject.id });
  if (byId !== undefined || !subject.maybeInstance) return byId;
  const node = await byInstance(context, subject);
  if (node !== undefined) return await ask(context, { case: 'serverId', value: node.serverId });
  const instance = await discoveredInstance(context, subject.id);
  return instance && (await askInstance(context, instance));
}

function askInstance(context: CommandContext, key: InstanceKey): Promise<ExplainNodeResponse | undefined> {
  return ask(context, { case: 'awsInstance', value: instanceToMessage(key) });
}

async function ask(
  { api, io }: CommandContext,
  subject: ExplainNodeRequest['subject'],
): Promise<ExplainNodeResponse | undefined> {
  try {
    const response = await api.explain.explainNode({ subject }, { signal: io.signal });
    const { node, discovered, labels } = response;
    return node === undefined && discovered === undefined && labels.length === 0 ? undefined : response;
  } catch (error) {
    if (error instanceof ConnectError && error.code === Code.NotFound) return undefined;
    throw error;
  }
}

/** The account and the region of an instance that discovery has seen. */
async function discoveredInstance({ api, io }: CommandContext, id: string): Promise<InstanceKey | undefined> {
  const all = pages(async (request) => {
    const page = await api.serverInfos.listServerInfos(request, { signal: io.signal });
    return { items: page.serverInfos, next: page.nextPageToken };
  });
  for await (const infos of all) {
    for (const { name, match } of infos) {
      const target = match?.target;
      if (target?.case !== 'awsInstance' || target.value.instanceId !== id) continue;
      if (parseDiscoveredName(name) !== undefined) return instanceFromMessage(target.value);
    }
  }
  return undefined;
}

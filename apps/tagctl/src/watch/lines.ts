import type { Format } from '../format/formats.ts';
import { jsonText, yamlText } from '../format/document.ts';
import { visible } from '../format/escape.ts';
import { labelsText } from '../format/labels-text.ts';
import type { TagctlIo } from '../io.ts';
import type { FeedEvent } from './feed.ts';
import type { Change } from './tracker.ts';
import { NodeTracker } from './tracker.ts';

/** Prints each change as it comes: a line, a JSON object on a line, or a YAML document. */
export async function printChanges(
  feed: AsyncIterable<FeedEvent>,
  target: { readonly format: Format; readonly addressText: string; readonly io: TagctlIo },
): Promise<void> {
  const { format, addressText, io } = target;
  const tracker = new NodeTracker();
  let lost = false;
  for await (const event of feed) {
    for (const change of tracker.apply(event)) {
      await io.stdout.write(changeText(change, format));
      if (change.event === 'lost') {
        lost = true;
        await io.stderr.write(`tagctl: lost ${addressText}: ${visible(change.reason)}; trying again\n`);
      }
      if (change.event === 'synced' && lost) {
        lost = false;
        await io.stderr.write(`tagctl: connected to ${addressText} again\n`);
      }
    }
  }
}

function changeText(change: Change, format: Format): string {
  switch (format) {
    case 'json':
      return `${jsonText(change, 0)}\n`;
    case 'yaml':
      return `---\n${yamlText(change)}`;
    case 'table':
      return changeLine(change);
  }
}

/** Nothing for what is said on stderr. */
function changeLine(change: Change): string {
  switch (change.event) {
    case 'node': {
      const { server_id: id, connected, sync, labels } = change.node;
      const line = `${visible(id)} ${sync.state} ${connected ? 'connected' : 'disconnected'} ${labelsText(labels)}`;
      return `${line.trimEnd()}\n`;
    }
    case 'removed':
      return `${visible(change.server_id)} REMOVED\n`;
    case 'synced':
    case 'lost':
      return '';
  }
}

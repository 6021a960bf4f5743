import { ago, until } from '../format/ages.ts';
import { visible } from '../format/escape.ts';
import { keyText, valueText } from '../format/labels-text.ts';
import type {
  DeliveryView,
  ExplainedLabelView,
  ExplanationView,
  LabelSourceName,
  OriginView,
} from './explanation.ts';
import { instanceText } from './node-table.ts';

const SAYS: Readonly<Record<LabelSourceName, string>> = {
  own: "the agent's own configuration or command says so",
  imported: 'instance metadata says so, by the word of the agent',
  discovered: 'EC2 says so, by discovery',
  assigned: 'an operator says so',
  unknown: 'a source that this version does not know says so',
};

/** The story of a node's labels, a line each, for people. `now` is Unix milliseconds. */
export function explanationLines(view: ExplanationView, now: number): string[] {
  return [
    ...nodeLines(view, now),
    ...deliveryLines(view.delivery, now),
    '',
    ...(view.labels.length === 0 ? ['no labels'] : view.labels.flatMap((label) => labelLines(label, now))),
    ...problemLines(view.problems),
  ];
}

function nodeLines({ node, discovered, assigned }: ExplanationView, now: number): string[] {
  const lines: string[] = [];
  if (node === null) lines.push('no agent has spoken for it');
  else {
    const connected = node.connected ? 'connected' : 'not connected';
    const seen = `last seen ${ago(node.last_seen, now)} by ${node.auth_id || '-'}`;
    lines.push(`node ${node.server_id} (${node.hostname || '-'}): ${node.sync.state}, ${connected}, ${seen}`);
    if (node.sync.reason !== undefined) lines.push(`  ${node.sync.reason}`);
    lines.push(`instance ${instanceText(node.aws)}`);
  }
  if (discovered === null) lines.push('no ServerInfo of discovery is for it');
  else {
    const { name, origin, observed_at: observed, expires_at: ends } = discovered;
    lines.push(`discovered: ${name} by ${origin}, observed ${ago(observed, now)}, ends ${until(ends, now)}`);
  }
  for (const { name, origin, expires_at: ends } of assigned) {
    lines.push(`assigned: ${name} by ${origin}, ends ${until(ends, now)}`);
  }
  return lines.map(visible);
}

function deliveryLines(delivery: DeliveryView | null, now: number): string[] {
  if (delivery === null) return ['delivered: nothing that is known of'];
  const { pushed_by: by, pushed_at: pushed, acked_at: acked } = delivery;
  const parts = [
    pushed === null ? 'on an earlier stream' : ago(pushed, now),
    by === '' ? '' : `by ${by}`,
    acked === null ? 'not acknowledged' : `acknowledged ${ago(acked, now)}`,
  ];
  return [visible(`delivered: ${parts.filter((part) => part !== '').join(', ')}`)];
}

function labelLines(
  { key, value, state, origin, overruled, reason }: ExplainedLabelView,
  now: number,
): string[] {
  return [
    `${keyText(key)}=${valueText(value)}  ${state}`,
    ...(reason === undefined ? [] : [`  ${visible(reason)}`]),
    ...(origin === null ? [] : [`  ${originText(origin, now)}`]),
    ...overruled.map((other) => {
      const who = other.origin === null ? '' : `, where ${originText(other.origin, now)}`;
      return `  not ${valueText(other.value)}: ${visible(other.reason)}${who}`;
    }),
  ];
}

function originText(origin: OriginView, now: number): string {
  const parts = [
    SAYS[origin.source],
    origin.server_info === null ? '' : `in ${origin.server_info}`,
    origin.written_by === null ? '' : `written by ${origin.written_by}`,
    origin.observed_at === null ? '' : `observed ${ago(origin.observed_at, now)}`,
    origin.stored_at === null ? '' : `stored ${ago(origin.stored_at, now)}`,
    origin.expires_at === null ? '' : `ends ${until(origin.expires_at, now)}`,
  ];
  return visible(parts.filter((part) => part !== '').join(', '));
}

function problemLines(problems: readonly string[]): string[] {
  if (problems.length === 0) return [];
  return ['', 'problems:', ...problems.map((problem) => `  ${visible(problem)}`)];
}

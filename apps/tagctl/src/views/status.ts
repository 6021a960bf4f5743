import type { GetStatusResponse } from '@tagplane/protocol';
import { optionalDurationMs } from '@tagplane/protocol';
import { formatDuration } from '@tagplane/runtime';
import { visible } from '../format/escape.ts';
import type { Cell } from '../format/table.ts';

/** The cluster as one auth process sees it; others script against these names. */
export interface StatusView {
  readonly address: string;
  readonly auth_id: string;
  readonly version: string;
  readonly uptime_seconds: number;
  readonly store: { readonly type: string; readonly epoch: string };
  /** Agents whose streams this process holds. */
  readonly connected_agents: number;
  /** All that the store holds. */
  readonly server_infos: number;
  readonly nodes: number;
  /** A line each; empty when all is well. */
  readonly problems: readonly string[];
}

export function statusView(address: string, status: GetStatusResponse): StatusView {
  return {
    address,
    auth_id: status.authId,
    version: status.version,
    uptime_seconds: Math.round((optionalDurationMs(status.uptime) ?? 0) / 1_000),
    store: { type: status.storeType, epoch: status.storeEpoch },
    connected_agents: status.connectedAgents,
    server_infos: Number(status.serverInfos),
    nodes: Number(status.nodes),
    problems: status.problems,
  };
}

export function statusDetails(view: StatusView): (readonly [string, Cell])[] {
  return [
    ['address', { text: visible(view.address) }],
    ['auth', { text: visible(view.auth_id) }],
    ['version', { text: visible(view.version) }],
    ['uptime', { text: formatDuration(view.uptime_seconds * 1_000) }],
    ['store', { text: visible(`${view.store.type}, epoch ${view.store.epoch}`) }],
    ['agents connected', { text: String(view.connected_agents) }],
    ['ServerInfos', { text: String(view.server_infos) }],
    ['nodes', { text: String(view.nodes) }],
    ...(view.problems.length === 0
      ? [['problems', { text: 'none', colour: 'green' }] as const]
      : view.problems.map(
          (problem, index) =>
            [index === 0 ? 'problems' : '', { text: visible(problem), colour: 'red' }] as const,
        )),
  ];
}

import { UpsertStatus } from '@tagplane/protocol';
import type { ServerInfo, UpsertResult } from '@tagplane/protocol';
import type { CommandContext } from '../context.ts';
import type { CreatedView } from '../views/created.ts';

/**
 * Writes one batch. A ServerInfo with a revision replaces exactly that revision, one without is new; with
 * `force` they replace whatever there is. All of a batch have a revision, or none.
 */
export async function upsertServerInfos(
  { api, io }: Pick<CommandContext, 'api' | 'io'>,
  infos: readonly ServerInfo[],
  force: boolean,
): Promise<CreatedView[]> {
  const createOnly = !force && infos.every(({ expectedRevision }) => expectedRevision === undefined);
  const serverInfos = force ? infos.map(({ expectedRevision: _any, ...info }) => info) : [...infos];
  const request = { serverInfos, createOnly };
  const { results } = await api.serverInfos.upsertServerInfos(request, { signal: io.signal });
  return infos.map(({ name }, index) => createdView(name, results[index], createOnly));
}

/** What became of one ServerInfo. */
export function createdView(
  name: string,
  result: UpsertResult | undefined,
  createOnly: boolean,
): CreatedView {
  const reason = result?.reason ?? '';
  const view = { kind: 'server_info', name } as const;
  switch (result?.status) {
    case UpsertStatus.ACCEPTED:
      return { ...view, status: 'ACCEPTED', revision: Number(result.revision) };
    case UpsertStatus.CONFLICT: {
      const why = createOnly ? 'it exists already' : reason || 'it has another revision by now';
      return { ...view, status: 'CONFLICT', reason: `${why}; --force replaces it` };
    }
    case UpsertStatus.DENIED:
      return { ...view, status: 'DENIED', reason: reason || "not an operator's to write" };
    case UpsertStatus.INVALID:
      return { ...view, status: 'INVALID', reason: reason || 'malformed' };
    case UpsertStatus.HELD:
      return { ...view, status: 'HELD', hold_id: result.holdId, reason: heldText(result.holdId, reason) };
    default:
      return {
        ...view,
        status: 'UNKNOWN',
        reason: reason || 'the auth service did not say what became of it',
      };
  }
}

/** That the guard holds it, and the command that lets it go on. */
export function heldText(holdId: string, reason = ''): string {
  const why = reason === '' ? 'it would change too many nodes' : reason;
  return `held: ${why}; to let it go on: tagctl guard release ${holdId}`;
}

import type { AddTokenResponse, JoinToken } from '@tagplane/protocol';
import { until } from '../format/ages.ts';
import { visible } from '../format/escape.ts';
import { instanceText } from './node-table.ts';
import { instanceView, timeView } from './node.ts';
import type { InstanceView } from './node.ts';
import { roleName } from './role.ts';
import type { TableOf } from './table-of.ts';

/** A join token without its secret, as JSON and YAML show it; others script against these names. */
export interface TokenView {
  /** What `tokens rm` takes. */
  readonly id: string;
  readonly role: string;
  /** Null: any name that is free. */
  readonly name: string | null;
  readonly aws: InstanceView | null;
  readonly uses_left: number;
  /** RFC 3339, UTC. */
  readonly expires_at: string | null;
  readonly created_by: string;
}

/** A token that was just made: the only time its secret is shown. */
export interface NewTokenView extends TokenView {
  /** Null: it is in the file alone. */
  readonly token: string | null;
  readonly token_file?: string;
  readonly ca_pins: readonly string[];
}

export function tokenView(token: JoinToken): TokenView {
  return {
    id: token.id,
    role: roleName(token.role),
    name: token.name === '' ? null : token.name,
    aws: token.awsInstance === undefined ? null : instanceView(token.awsInstance),
    uses_left: token.usesLeft,
    expires_at: timeView(token.expiresAt),
    created_by: token.createdBy,
  };
}

/** @param file where the secret went; undefined: into no file */
export function newTokenView(
  token: JoinToken,
  answer: AddTokenResponse,
  file: string | undefined,
): NewTokenView {
  const { id, ...view } = tokenView(token);
  const secret = file === undefined ? { token: answer.secretToken } : { token: null, token_file: file };
  return { id, ...secret, ...view, ca_pins: answer.caPins };
}

export const tokenTable: TableOf<TokenView> = {
  plural: 'tokens',
  columns: [
    { title: 'ID', priority: 0 },
    { title: 'ROLE', priority: 1 },
    { title: 'NAME', priority: 4, shrinkTo: 16 },
    { title: 'INSTANCE', priority: 5 },
    { title: 'USES LEFT', priority: 3 },
    { title: 'EXPIRES', priority: 2 },
    { title: 'MADE BY', priority: 6, shrinkTo: 16 },
  ],
  row: (token, now) => [
    { text: visible(token.id) },
    { text: token.role },
    { text: visible(token.name ?? '-') },
    { text: visible(instanceText(token.aws)) },
    { text: String(token.uses_left) },
    { text: until(token.expires_at, now) },
    { text: visible(token.created_by) },
  ],
  details: (token, now) => [
    ['id', { text: visible(token.id) }],
    ['role', { text: token.role }],
    ['name', { text: visible(token.name ?? 'any that is free') }],
    ['instance', { text: visible(instanceText(token.aws)) }],
    ['uses left', { text: String(token.uses_left) }],
    ['expires', { text: until(token.expires_at, now) }],
    ['made by', { text: visible(token.created_by) }],
  ],
};

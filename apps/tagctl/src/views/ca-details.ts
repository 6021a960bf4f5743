import { ago, until } from '../format/ages.ts';
import { visible } from '../format/escape.ts';
import type { Cell } from '../format/table.ts';
import { nextText } from '../rotation/plan.ts';
import type { AuthorityView, CaStatusView, FollowersView } from './ca.ts';

/** The authorities for people: who signs, who follows, who is waited for, what is next. */
export function caStatusDetails(view: CaStatusView, now: number): (readonly [string, Cell])[] {
  const waitingFor = view.followers.flatMap(({ waiting_for: names }) => names);
  return [
    ['cluster', { text: visible(view.cluster) }],
    ['phase', { text: phaseText(view, now), colour: view.phase === 'STABLE' ? 'green' : 'yellow' }],
    ['trust', { text: `generation ${view.generation}` }],
    ...titled(
      'authorities',
      view.authorities.map((authority) => authorityCell(authority, now)),
    ),
    ...titled('auth', view.followers.map(followersCell)),
    ...titled(
      'waiting for',
      waitingFor.map((id) => ({ text: visible(id), colour: 'yellow' as const })),
    ),
    ...(view.old_certificates_until === null
      ? []
      : [['old certificates', { text: `end ${until(view.old_certificates_until, now)}` }] as const]),
    ...(view.blocked === null ? [] : [['blocked', { text: visible(view.blocked), colour: 'red' }] as const]),
    ['next', { text: nextText(view, now) }],
  ];
}

function phaseText({ phase, phase_since: since }: CaStatusView, now: number): string {
  return since === null ? phase : `${phase}, since ${ago(since, now)}`;
}

function authorityCell({ pin, signing, expires_at: end }: AuthorityView, now: number): Cell {
  return { text: `${visible(pin)} ${signing ? 'signs' : 'is trusted'}, expires ${until(end, now)}` };
}

function followersCell(each: FollowersView): Cell {
  const { auth_id: id, following, peers, trusting, renewed } = each;
  const own = following ? '' : ' (does not follow itself)';
  return {
    text: `${visible(id)}${own}: of ${peers} peers ${trusting} trust all authorities, ${renewed} have renewed`,
    ...(following ? {} : { colour: 'red' as const }),
  };
}

function titled(title: string, cells: readonly Cell[]): (readonly [string, Cell])[] {
  return cells.map((cell, index) => [index === 0 ? title : '', cell]);
}

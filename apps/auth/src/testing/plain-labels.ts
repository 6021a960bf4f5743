import { compileSelector } from '@tagplane/labels';
import { decodeServerInfo } from '@tagplane/serverinfo';
import type { ServerInfo } from '@tagplane/serverinfo';
import type { Put } from '@tagplane/store';
import fc from 'fast-check';
import { assigned, instance, selecting } from './fleet.ts';

/** Some of a few names, so that one often takes the place of another. */
export const arbitraryName = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const arbitraryLabels = fc.dictionary(fc.constantFrom('k', 'l', 'm'), fc.constantFrom('1', '2'), {
  maxKeys: 3,
});
const arbitraryText = fc.constantFrom(
  '*=*',
  'aws/team=db',
  'aws/team=[db, web]',
  'aws/env=p*',
  'dynamic/k=1',
);
export const arbitraryPut: fc.Arbitrary<Put> = fc.oneof(
  fc.tuple(arbitraryName, arbitraryText, arbitraryLabels).map((args) => selecting(...args)),
  fc
    .tuple(arbitraryName, fc.constantFrom<string | number>('s1', 's2', 1, 2), arbitraryLabels)
    .map((args) => assigned(...args)),
);
/** A node: its server id, the number of its instance, and the tags of that. */
export interface PlainSubject {
  readonly serverId: string;
  readonly number: number;
  readonly aws: ReadonlyMap<string, string>;
}

/** As one would say it: go through all of them, in order of precedence, and let each later one win. */
export function plainLabels(
  infos: readonly ServerInfo[],
  { serverId, number, aws }: PlainSubject,
): Record<string, string> {
  const named = infos.filter(({ match }) =>
    match.kind === 'server-id'
      ? match.serverId === serverId
      : match.kind === 'aws-instance' && match.instance.instance === instance(number).instance,
  );
  const inOrder = (kind: string, from: readonly ServerInfo[]) =>
    from.filter(({ match }) => match.kind === kind).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const firstStage = [...inOrder('aws-instance', named), ...inOrder('server-id', named)];
  const seen = new Map([...aws, ...firstStage.flatMap(({ labels }) => [...labels])]);
  const picking = infos.filter(
    ({ match }) => match.kind === 'selector' && compileSelector(match.selector).matches(seen),
  );
  const all = [...inOrder('selector', picking), ...firstStage];
  return sortedLabels(new Map(all.flatMap(({ labels }) => [...labels])));
}

export function sortedLabels(labels: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries([...labels].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Those that stand after these writes. */
export function infosOf(puts: readonly Put[]): ServerInfo[] {
  const latest = new Map(puts.map((item) => [item.key, item]));
  return [...latest.values()].map(({ key, value }) =>
    decodeServerInfo({ key, value, revision: 1, expiresAt: undefined }),
  );
}

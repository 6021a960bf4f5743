import { until } from '../format/ages.ts';
import { visible } from '../format/escape.ts';
import type { Cell } from '../format/table.ts';

/** Who asks, as JSON and YAML show it; others script against these names. */
export type IdentityView =
  | {
      readonly mode: 'mutual';
      /** SPIFFE ID. */
      readonly identity: string;
      readonly role: string;
      readonly name: string;
      readonly cluster: string;
      /** RFC 3339, UTC. */
      readonly valid_until: string;
      readonly file: string;
      /** Of the authorities that are trusted. */
      readonly ca_pins: readonly string[];
      readonly trust_generation: number;
    }
  | { readonly mode: 'insecure'; readonly role: string; readonly name: string };

export function identityDetails(view: IdentityView, now: number): (readonly [string, Cell])[] {
  if (view.mode === 'insecure') {
    return [
      ['who', { text: visible(`${view.role} ${view.name}`) }],
      ['proof', { text: 'none: insecure, for loopback only', colour: 'yellow' }],
    ];
  }
  const end = until(view.valid_until, now);
  const expired = Date.parse(view.valid_until) <= now;
  return [
    ['who', { text: visible(`${view.role} ${view.name}`) }],
    ['identity', { text: visible(view.identity) }],
    ['expires', { text: `${view.valid_until} (${end})`, ...(expired ? { colour: 'red' as const } : {}) }],
    ['file', { text: visible(view.file) }],
    ...view.ca_pins.map((pin, index) => [index === 0 ? 'trusts' : '', { text: pin }] as const),
  ];
}

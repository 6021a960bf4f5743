import type { TagctlIo } from '../io.ts';
import type { TableStyle } from './table.ts';

/** Fits and colours for a terminal; full width and plain for anything else. See no-color.org. */
export function tableStyle({ stdout, env }: Pick<TagctlIo, 'stdout' | 'env'>): TableStyle {
  const size = stdout.size();
  const plain = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return { width: size?.columns, colour: size !== undefined && !plain };
}

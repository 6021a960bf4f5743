import { carryAll, compileCarryRules } from '@tagplane/serverinfo';
import type { Carry } from '@tagplane/serverinfo';
import type { EstateBlock } from './config.ts';

/** What a block makes of tags. Blocks that say nothing of it have the same. */
export function carryOf({ import: rules, labels }: Pick<EstateBlock, 'import' | 'labels'>): Carry {
  if (rules === undefined && labels === undefined) return carryAll;
  const { allow = ['*'], deny = [], rename = {} } = rules ?? {};
  return compileCarryRules({
    allow,
    deny,
    rename: new Map(Object.entries(rename)),
    labels: new Map(Object.entries(labels ?? {})),
  });
}

import { decodeServerInfo } from '@tagplane/serverinfo';
import type { StoredEntry } from '@tagplane/serverinfo';
import type { Found } from '@tagplane/store';
import type { Finding } from '../control/node-view.ts';

const ABSENT: Pick<Finding, 'discovered' | 'revision'> = {
  discovered: { state: 'absent' },
  revision: undefined,
};

/**
 * The store's answer for a node's instance (undefined: the node names none) as a finding.
 *
 * @throws ServerInfoDecodeError
 */
export function findingOf(found: Found | undefined): Pick<Finding, 'discovered' | 'revision'> {
  switch (found?.state) {
    case 'live':
      return liveFinding(found);
    case 'gone':
      return { discovered: { state: 'gone' }, revision: found.revision };
    case 'absent':
    case undefined:
      return ABSENT;
  }
}

/** @throws ServerInfoDecodeError */
export function liveFinding(entry: StoredEntry): Pick<Finding, 'discovered' | 'revision'> {
  return { discovered: { state: 'live', source: decodeServerInfo(entry) }, revision: entry.revision };
}

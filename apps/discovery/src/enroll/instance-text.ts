import { parseInstanceKey } from '@tagplane/identity';
import type { InstanceKey } from '@tagplane/identity';

/** The other way of `instanceKeyText`; none for another text. */
export function parseInstanceText(text: string): InstanceKey[] {
  const [account = '', region = '', instance = ''] = text.split('/');
  const key = parseInstanceKey({ account, region, instance });
  return key === undefined ? [] : [key];
}

import { parseInstanceId, parseRegion } from '@tagplane/identity';
import type { InstanceId, Region } from '@tagplane/identity';

/** A region for tests; throws RangeError for text that is none. */
export function testRegion(text = 'eu-central-1'): Region {
  const region = parseRegion(text);
  if (region === undefined) throw new RangeError(`no region: ${text}`);
  return region;
}

/** An instance for tests: the number becomes its id, `i-` and 17 hexadecimal digits. */
export function testInstance(number: number): InstanceId {
  const instance = parseInstanceId(`i-${number.toString(16).padStart(17, '0')}`);
  if (instance === undefined) throw new RangeError(`no instance: ${number}`);
  return instance;
}

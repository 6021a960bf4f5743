import { describe, jest } from '@jest/globals';
import { feedContract } from './feed-contract.ts';
import { guardsContract } from './guards-contract.ts';
import { TEST_TIMEOUT_MS } from './harness.ts';
import type { MakeHarness } from './harness.ts';
import { itemsContract } from './items-contract.ts';
import { limitsContract } from './limits-contract.ts';
import { rangesContract } from './ranges-contract.ts';
import { writesContract } from './writes-contract.ts';

/**
 * What every Store keeps to, as Jest tests. Call it in a spec.
 *
 * @param make gives each test data of its own, empty at first
 */
export function storeContract(name: string, make: MakeHarness): void {
  jest.setTimeout(TEST_TIMEOUT_MS);
  describe(`store contract: ${name}`, () => {
    itemsContract(make);
    writesContract(make);
    guardsContract(make);
    rangesContract(make);
    feedContract(make);
    limitsContract(make);
  });
}

import type { Extension } from '../extension.ts';
import { createJsonService } from '../json-service.ts';

/** AWS Organizations. */
export function createOrganizations(): Extension {
  return {
    service: createJsonService({
      name: 'organizations',
      target: 'AWSOrganizationsV20161128',
      version: '1.1',
      actions: new Map(),
    }),
  };
}

import { CONFIG_FILE_VARIABLE, SECOND, createLogger, createRegistry, loadConfig } from '@tagplane/runtime';
import { createAuditLog } from './audit/audit-log.ts';
import type { AuthConfig } from './config.ts';
import { authConfig } from './config.ts';
import { caCopy } from './ca/ca-copy.ts';
import { bootstrapCommand } from './ca/bootstrap-command.ts';
import { createMetrics } from './metrics.ts';
import { openStores } from './stores/open-stores.ts';

/** `tagplane-auth bootstrap`, with the store and the audit log of the service's own configuration. */
export const bootstrap = bootstrapCommand({
  load: (file, env) => loadConfig(authConfig, { file: file ?? env[CONFIG_FILE_VARIABLE], env }),
  open,
});

function open(config: AuthConfig) {
  const log = createLogger('auth', config.log_level);
  const registry = createRegistry('auth');
  const stores = openStores(config.store, { log, metrics: createMetrics(registry) });
  const audit = createAuditLog({
    store: stores.audit,
    authId: 'bootstrap',
    output: config.audit.path,
    retentionMs: config.audit.retention,
    log,
    registry,
    // Standard output is for the person who runs this.
    stdout: process.stderr,
  });
  return {
    store: stores.security,
    audit,
    copy: caCopy(config.ca.key_file, log),
    async [Symbol.asyncDispose]() {
      await audit.flush(AbortSignal.timeout(5 * SECOND));
      await stores[Symbol.asyncDispose]();
    },
  };
}

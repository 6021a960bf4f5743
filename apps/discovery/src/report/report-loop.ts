import { ConnectError, createClient } from '@connectrpc/connect';
import type { Transport } from '@connectrpc/connect';
import { DiscoveryService } from '@tagplane/protocol';
import { SECOND, isAbort, sleep } from '@tagplane/runtime';
import type { Logger } from '@tagplane/runtime';
import type { ScopeStatus } from '../estate/scope-status.ts';
import { underFence } from '../lease/fence.ts';
import type { Fence } from '../lease/fence.ts';
import { planReport } from './plan-report.ts';
import type { Report, Said } from './plan-report.ts';
import { reportMessage } from './report-message.ts';

/** Changes of many scopes in one request; a failing scope is seen within 10 s. */
const REPORT_EVERY_MS = 10 * SECOND;
const TIMEOUT_MS = 5 * SECOND;

export interface ReportLoopParts {
  readonly transport: Transport;
  /** The lease of this term. */
  readonly fence: Fence;
  /** How the scopes stand now; an unchanged one is the same object. */
  readonly report: () => readonly ScopeStatus[];
  readonly log: Logger;
}

/** Tells the auth service how the scopes do, until the signal aborts. A failure waits for the next turn. */
export async function runReportLoop(parts: ReportLoopParts, signal: AbortSignal): Promise<void> {
  const said = new Map<string, Said>();
  const startedAt = Date.now();
  const service = createClient(DiscoveryService, parts.transport);
  let failing = false;
  for (;;) {
    await sleep(REPORT_EVERY_MS, signal);
    const now = Date.now();
    const due = planReport(parts.report(), said, { now, startedAt });
    if (due === undefined) continue;
    try {
      const request = { scopes: due.scopes.map(reportMessage), removed: [...due.removed] };
      await underFence(parts.fence, (fence) =>
        service.reportScopes({ ...request, ...fence }, { signal, timeoutMs: TIMEOUT_MS }),
      );
      note(said, due, now);
      failing = false;
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      const reason = ConnectError.from(error).message;
      parts.log[failing ? 'debug' : 'warn']({ event: 'scopes_not_reported', reason });
      failing = true;
    }
  }
}

function note(said: Map<string, Said>, { scopes, removed }: Report, at: number): void {
  for (const status of scopes) said.set(status.id, { status, at });
  for (const id of removed) said.delete(id);
}

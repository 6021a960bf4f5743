import type { Audit, AuditRecord } from '../audit/audit.ts';

/** Takes events and does nothing with them. */
export const silentAudit: Audit = { record: () => undefined };

/** Keeps what was recorded. */
export class RecordingAudit implements Audit {
  readonly records: AuditRecord[] = [];

  record(event: AuditRecord): void {
    this.records.push(event);
  }

  of(code: string): AuditRecord[] {
    return this.records.filter((record) => record.code === code);
  }
}

import type { CommandBody } from '../context.ts';
import { EXIT_OK } from '../errors.ts';
import { jsonText, yamlText } from '../format/document.ts';
import { visible } from '../format/escape.ts';
import type { Format } from '../format/formats.ts';
import { tableStyle } from '../format/style.ts';
import { tailEvents } from '../audit/tail.ts';
import type { TailFlags } from '../groups/audit.ts';
import type { AuditEventView } from '../views/audit-event.ts';
import { auditLine } from '../views/audit-event.ts';

/** `audit tail`: a line for each event, a JSON object on a line, or a YAML document. */
export function tailAudit({ since, follow = false, code = '' }: TailFlags): CommandBody {
  return async ({ api, settings, format, io }) => {
    const { colour } = tableStyle(io);
    const events = tailEvents({
      audit: api.audit,
      sinceMs: since,
      follow,
      codePrefix: code,
      onLost: (reason) =>
        io.stderr.write(`tagctl: lost ${settings.addressText}: ${visible(reason)}; trying again\n`),
      signal: io.signal,
      now: () => io.now(),
    });
    for await (const some of events) {
      await io.stdout.write(some.map((event) => eventText(event, format, colour)).join(''));
    }
    return EXIT_OK;
  };
}

function eventText(event: AuditEventView, format: Format, colour: boolean): string {
  switch (format) {
    case 'json':
      return `${jsonText(event, 0)}\n`;
    case 'yaml':
      return `---\n${yamlText(event)}`;
    case 'table':
      return `${auditLine(event, colour)}\n`;
  }
}

/** One thing that was looked at. */
export type Finding =
  | { readonly ok: true; readonly text: string }
  /** `fix`: what to do, for a person. */
  | { readonly ok: false; readonly text: string; readonly fix: string };

export function good(text: string): Finding {
  return { ok: true, text };
}

export function bad(text: string, fix: string): Finding {
  return { ok: false, text, fix };
}

export function findingLine(finding: Finding): string {
  return finding.ok ? `ok    ${finding.text}\n` : `wrong ${finding.text}\n      fix: ${finding.fix}\n`;
}

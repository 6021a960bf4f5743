import { SubjectAlternativeNameExtension } from './x509.ts';

/** Alternative names of a subject: URIs first, then DNS names. */
export function subjectNames(
  uris: readonly string[],
  dnsNames: readonly string[],
): SubjectAlternativeNameExtension {
  return new SubjectAlternativeNameExtension([
    ...uris.map((value) => ({ type: 'url' as const, value })),
    ...dnsNames.map((value) => ({ type: 'dns' as const, value })),
  ]);
}

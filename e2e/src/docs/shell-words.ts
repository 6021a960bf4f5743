/**
 * The words of a line for a shell: quotes are taken off, a comment at the end is left out. Neither variables
 * nor anything else that a shell would put in: what documents show has none.
 */
export function shellWords(line: string): string[] {
  const words = [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? '',
  );
  const comment = words.indexOf('#');
  return comment < 0 ? words : words.slice(0, comment);
}

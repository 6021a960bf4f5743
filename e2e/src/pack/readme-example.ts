/** A README's example: a whole program, and what the README says that it prints. */
export interface Example {
  readonly code: string;
  readonly output: string;
}

/**
 * Reads the one `ts` block and the one `text` block after it.
 *
 * @throws Error when there is not just one of each
 */
export function readmeExample(markdown: string): Example {
  return { code: onlyBlock(markdown, 'ts'), output: onlyBlock(markdown, 'text') };
}

function onlyBlock(markdown: string, language: string): string {
  const blocks = [...markdown.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))];
  const [first] = blocks;
  if (first?.[1] === undefined || blocks.length > 1) {
    throw new Error(`a README has one \`${language}\` block, not ${blocks.length}`);
  }
  return first[1];
}

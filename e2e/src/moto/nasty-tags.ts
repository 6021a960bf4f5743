const SNOWMAN = '☃';
const FAMILY = '👨‍👩‍👧';

/** Tags as awkward as EC2 allows: each must reach an agent to the letter. */
export const NASTY_TAGS: readonly (readonly [string, string])[] = [
  ['__proto__', 'polluted'],
  ['constructor', 'toString'],
  ['Patch Group', 'Prod Servers (weekly)'],
  ['kubernetes.io/role/node', '1'],
  ['a:b:c', '::'],
  ['path/with/slashes', '/leading/and/trailing/'],
  ['empty', ''],
  ['longest-value', 'v'.repeat(256)],
  [`k${'y'.repeat(127)}`, 'longest key'],
  ['ünïcödé', `${SNOWMAN} ${FAMILY} 日本語 עברית`],
  [`${SNOWMAN}${FAMILY}`, 'key beyond the basic plane'],
  ['xml', `<tag attr="x">&amp; 'quoted'</tag>`],
  ['spaces', '  two before, two after  '],
  ['Aws-like:key', 'aws:value'],
  ['dynamic/not-a-namespace-here', 'x'],
  ['aws/aws', 'aws/'],
  ['json', '{"a":[1,null,"\\u0000"]}'],
  ['=+-@formula', '=1+1'],
];

/** EC2's greatest number of tags: the nasty ones and as many plain ones as fit. */
export function fiftyTags(): [string, string][] {
  const plain = Array.from({ length: 50 - NASTY_TAGS.length }, (_, index) => [
    `plain-${index}`,
    String(index),
  ]);
  return [...NASTY_TAGS, ...plain] as [string, string][];
}

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AnswerScan } from './answer-scan.ts';
import type { ScanResult } from './answer-scan.ts';
import { describingClient, projected } from '../testing/describing-client.ts';

async function* pieces(document: string, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(document);
  // Each piece costs both clients a turn of the loop; `scanned` goes by the bare size.
  const step = size * 10;
  for (let at = 0; at < bytes.length; at += step) yield await Promise.resolve(bytes.subarray(at, at + step));
}

function scanned(document: string, size: number): ScanResult {
  const bytes = Buffer.from(document);
  const scan = new AnswerScan();
  for (let end = size; end < bytes.length; end += size) scan.advance(bytes, end);
  scan.advance(bytes, bytes.length);
  return scan.finish(bytes.length);
}

const sdk = describingClient({ lean: false });
const lean = describingClient({ lean: true });

// --- documents -------------------------------------------------------------------------------------

/** Between elements, the SDK takes white space for text unless it has a line end: see below. */
const layout = fc.constantFrom('', '', '\n', '\n    ', ' \r\n\t');
const blank = fc.constantFrom('', '', ' ', '\n', '\r\n\t', '\t');
const misc = fc.constantFrom(
  '',
  '',
  '',
  '<!---->',
  '<!-- <item> & ]]> -->',
  '<?php <x> ?>',
  '<!--\n<tagSet>\n-->',
);
const gap = fc.tuple(layout, misc, layout).map((parts) => parts.join(''));

/** Text as it might be written: characters, references, CDATA and comments by turns. */
const written = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'web',
        ' ',
        'a b',
        '\n',
        '\r\n',
        'é',
        '値',
        '😀',
        '>',
        ']]',
        '"',
        "'",
        '\u00a0',
        '\u2028',
      ),
      fc.constantFrom(
        '&amp;',
        '&lt;',
        '&gt;',
        '&quot;',
        '&apos;',
        '&#10;',
        '&#13;',
        '&#x41;',
        '&#x20aC;',
        '&#0065;',
      ),
      fc.constantFrom('<![CDATA[<b>&amp;]]>', '<![CDATA[]]>', '<![CDATA[ ]] > ]]>', '<!-- - -->', '<?p?>'),
      fc.constantFrom('__proto__', 'constructor', 'toString', '#text'),
      fc.string({ maxLength: 8 }).map((text) => text.replace(/[<&\r]/g, '')),
    ),
    { maxLength: 5 },
  )
  .map((parts) => parts.join(''));

const attributes = fc.constantFrom('', '', '', ' a="1"', " xsi:nil = 'tr>ue'", ' item="/>"\n', ' b="<"');

/** What is not read, though it looks like it: other elements with all the names of those that are. */
const { other } = fc.letrec<{ other: string }>((tie) => ({
  other: fc
    .tuple(
      fc.constantFrom(
        'ebs',
        'groupSet',
        'networkInterfaceSet',
        'stateReason',
        'a.b-c_d',
        'ns:vpcId',
        'größe',
      ),
      attributes,
      fc.array(fc.oneof({ depthSize: 'small' }, written, looksLikeIt(), tie('other')), { maxLength: 3 }),
      blank,
    )
    .map(([name, given, inside, space]) =>
      inside.length === 0 ? `<${name}${given}/>` : `<${name}${given}>${inside.join('')}</${name}${space}>`,
    ),
}));

function looksLikeIt(): fc.Arbitrary<string> {
  return fc.constantFrom(
    '<item><vpcId>vpc-1</vpcId><ownerId>1</ownerId></item>',
    '<tagSet><item><key>k</key><value>v</value></item></tagSet>',
    '<instanceId>i-wrong</instanceId>',
    '<name>terminated</name>',
    '<reservationSet/>',
    '<nextToken>wrong</nextToken>',
  );
}

function leaf(name: string): fc.Arbitrary<string> {
  return fc
    .tuple(written, blank)
    .map(([text, space]) =>
      text === '' && space === ' ' ? `<${name} />` : `<${name}>${text}</${name}${space}>`,
    );
}

/** An element with some of its parts, in any order, other elements and gaps between them. */
function element(name: string, ...parts: fc.Arbitrary<string>[]): fc.Arbitrary<string> {
  const some = parts.map((part) => fc.option(part, { nil: '', freq: 8 }));
  return fc
    .tuple(fc.tuple(...some), fc.array(other, { maxLength: 2 }))
    .chain(([known, others]) =>
      fc.shuffledSubarray([...known, ...others], { minLength: known.length + others.length }),
    )
    .chain((inside) =>
      fc.tuple(
        fc.array(gap, { minLength: inside.length + 1, maxLength: inside.length + 1 }),
        fc.constant(inside),
      ),
    )
    .map(([gaps, inside]) =>
      inside.join('') === '' ? `<${name}/>` : `<${name}>${weave(gaps, inside)}</${name}>`,
    );
}

function list(name: string, item: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(fc.array(fc.oneof({ weight: 5, arbitrary: item }, other), { maxLength: 3 }), gap)
    .map(([items, between]) =>
      items.length === 0 ? `<${name}/>` : `<${name}>${between}${items.join(between)}</${name}>`,
    );
}

function weave(gaps: readonly string[], inside: readonly string[]): string {
  return gaps.map((between, index) => between + (inside[index] ?? '')).join('');
}

const tag = element('item', leaf('key'), leaf('value'));
const state = element('instanceState', leaf('name'), fc.constant('<kind>16</kind>'));
const instance = element(
  'item',
  leaf('instanceId'),
  state,
  leaf('vpcId'),
  leaf('platform'),
  list('tagSet', tag),
);
const reservation = element('item', leaf('ownerId'), leaf('reservationName'), list('instancesSet', instance));
const root = element('ROOT', list('reservationSet', reservation), leaf('nextToken'), leaf('requestId'));

const document = fc
  .tuple(
    fc.constantFrom('', '<?xml version="1.0" encoding="UTF-8"?>\n', '<!-- first -->'),
    fc.constantFrom('', ' xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"', "\n  xmlns:x='y'\n"),
    root,
    gap,
  )
  .map(([prolog, namespaces, text, epilog]) => {
    const named = text.startsWith('<ROOT/>')
      ? `<R${namespaces}/>`
      : `<R${namespaces}>${text.slice(6, -7)}</R>`;
    return `${prolog}${named}${epilog}`.replace(/(<\/?)R(?=[\s/>])/g, '$1DescribeInstancesResponse');
  });

const size = fc.integer({ min: 1, max: 400 });

/** Not well-formed, or what a document of EC2 does not have, put anywhere, or in the place of something. */
const damage = fc.record({
  at: fc.nat(),
  length: fc.constantFrom(0, 0, 1, 7, 40),
  text: fc.constantFrom(
    ...[
      '<',
      '>',
      '/',
      '&',
      '"',
      '=',
      '\0',
      ' ',
      '</item>',
      '<item>',
      '<item/>',
      '<key>',
      '</key>',
      '<!--',
      '-->',
    ],
    ...[
      '<![CDATA[',
      ']]>',
      '<!DOCTYPE x>',
      '<?',
      '?>',
      '&#99999999;',
      '&nbsp;',
      '&toString;',
      'text',
      '<a b>',
      '<a b=c>',
    ],
    ...[
      '<nextToken>x</nextToken>',
      '<tagSet></tagSet>',
      '<value a="b">c</value>',
      '<reservationSet/>',
      '<instancesSet>',
    ],
  ),
});

const damaged = fc.tuple(document, fc.array(damage, { minLength: 1, maxLength: 3 })).map(([whole, damages]) =>
  damages.reduce((text, { at, length, text: inserted }) => {
    const from = at % (text.length + 1);
    return text.slice(0, from) + inserted + text.slice(from + length);
  }, whole),
);

/** Gives a line end to white space between tags that lost its own. */
function laidOut(text: string): string {
  return text.replace(/>([ \t\r]+)(?=<)/g, '>$1\n');
}

// Of other elements than those that are read, the SDK refuses what it cannot convert; here they are of no kind
// that it knows.

// --- properties ------------------------------------------------------------------------------------

/** Some 10 s of CPU each. */
const TIMEOUT_MS = 10 * 60_000;

describe('LeanEc2Protocol beside the SDK’s own parser', () => {
  it(
    'reads the same of every well-formed answer, in one pass',
    async () => {
      await fc.assert(
        fc.asyncProperty(document, size, async (text, chunk) => {
          const expected = await sdk(pieces(text, chunk));
          const result = scanned(text, chunk);
          expect(result.is).toBe('complete');
          if (expected !== 'refused' && result.is === 'complete')
            expect(projected(result.answer)).toEqual(expected);
          expect(await lean(pieces(text, chunk))).toEqual(expected);
        }),
        { numRuns: 1_000 },
      );
    },
    TIMEOUT_MS,
  );

  it(
    'refuses what the SDK refuses, and never reads anything else than it',
    async () => {
      await fc.assert(
        fc.asyncProperty(damaged.map(laidOut), size, async (text, chunk) => {
          const [expected, result] = [await sdk(pieces(text, chunk)), await lean(pieces(text, chunk))];
          // What the SDK guesses at, or takes the first one of, is refused for its reason.
          if (scanned(text, chunk).is === 'refused') expect(result).toBe('refused');
          else expect(result).toEqual(expected);
        }),
        { numRuns: 1_200 },
      );
    },
    TIMEOUT_MS,
  );
});

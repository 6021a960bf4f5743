import { describe, expect, it } from '@jest/globals';
import { AnswerScan } from './answer-scan.ts';
import type { ScanResult } from './answer-scan.ts';

function scan(document: string): ScanResult {
  const bytes = Buffer.from(document);
  const reader = new AnswerScan();
  reader.advance(bytes, bytes.length);
  return reader.finish(bytes.length);
}

const answer = (inside: string): string => `<DescribeInstancesResponse>${inside}</DescribeInstancesResponse>`;
const reservation = (inside: string): string =>
  answer(`<reservationSet><item>${inside}</item></reservationSet>`);
const instance = (inside: string): string =>
  reservation(`<instancesSet><item>${inside}</item></instancesSet>`);
const valueIs = (written: string): string =>
  instance(`<tagSet><item><key>k</key><value>${written}</value></item></tagSet>`);

function valueOf(document: string): string | undefined {
  const result = scan(document);
  if (result.is !== 'complete') return undefined;
  return result.answer.Reservations?.[0]?.Instances?.[0]?.Tags?.[0]?.Value;
}

/** As EC2 writes it, with what is not read left out but for what looks like what is. */
const WHOLE = `<?xml version="1.0" encoding="UTF-8"?>
<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
    <requestId>8f7724cf</requestId>
    <reservationSet>
        <item>
            <reservationId>r-1</reservationId>
            <ownerId>123456789012</ownerId>
            <groupSet/>
            <instancesSet>
                <item>
                    <instanceId>i-0a1b2c3d</instanceId>
                    <instanceState>
                        <code>16</code>
                        <name>running</name>
                    </instanceState>
                    <stateReason><code>x</code><message>a &amp; b</message></stateReason>
                    <vpcId>vpc-1</vpcId>
                    <networkInterfaceSet>
                        <item>
                            <vpcId>vpc-2</vpcId>
                            <ownerId>210987654321</ownerId>
                            <groupSet><item><groupId>sg-1</groupId></item></groupSet>
                            <tagSet><item><key>not</key><value>this</value></item></tagSet>
                        </item>
                    </networkInterfaceSet>
                    <platform>windows</platform>
                    <tagSet>
                        <item>
                            <key>Name</key>
                            <value>w&#233;b &lt;1&gt;</value>
                        </item>
                    </tagSet>
                </item>
            </instancesSet>
        </item>
    </reservationSet>
    <nextToken>t&amp;1==</nextToken>
</DescribeInstancesResponse>
`;

describe('AnswerScan', () => {
  it('reads each element by its full path', () => {
    expect(scan(WHOLE)).toEqual({
      is: 'complete',
      answer: {
        NextToken: 't&1==',
        Reservations: [
          {
            OwnerId: '123456789012',
            Instances: [
              {
                InstanceId: 'i-0a1b2c3d',
                State: { Name: 'running' },
                VpcId: 'vpc-1',
                Platform: 'windows',
                Tags: [{ Key: 'Name', Value: 'wéb <1>' }],
              },
            ],
          },
        ],
      },
    });
  });

  it('does not take what is cut off anywhere for an answer', () => {
    const whole = WHOLE.trimEnd();
    for (let end = 0; end < whole.length; end += 1) {
      expect([end, scan(whole.slice(0, end)).is]).toEqual([end, 'odd']);
    }
  });

  it.each([
    ['nothing', '', ''],
    ['spaces', '  ', '  '],
    ['layout', '\n  ', ''],
    ['line ends', 'a\r\nb\rc', 'a\nb\nc'],
    ['a line end by reference', 'a&#13;&#xa;b', 'a\r\nb'],
    ['characters beyond the first plane', '&#x1F600;&#128512;😀', '😀😀😀'],
    ['a pair of surrogates, one by one', '&#xD83D;&#xDE00;', '😀'],
    ['CDATA', 'a<![CDATA[<&amp;]]]]><![CDATA[>]]>b', 'a<&amp;]]>b'],
    ['comments and instructions', 'a<!-- x -->b<?y z?>c', 'abc'],
    ['what looks like markup', '&lt;value&gt;&amp;lt;', '<value>&lt;'],
    ['bytes that are no UTF-8', 'a\ud800b', 'a\ufffdb'],
  ])('reads text with %s', (_, written, text) => {
    expect(valueOf(valueIs(written))).toBe(text);
  });

  it.each([
    ['a set twice', answer('<reservationSet/><reservationSet/>'), /reservations twice/],
    ['a field twice', instance('<instanceId>a</instanceId><instanceId>b</instanceId>'), /instanceId twice/],
    ['text in a set', answer('<reservationSet>none</reservationSet>'), /text in reservations/],
    ['CDATA in a set', answer('<reservationSet><![CDATA[]]></reservationSet>'), /text in reservations/],
    ['an entity that nobody declared', valueIs('&nbsp;'), /unknown reference in value/],
    ['an ampersand alone', valueIs('a & b'), /unknown reference in value/],
    ['a character that there is not', valueIs('&#x110000;'), /unknown reference in value/],
  ])('refuses %s', (_, document, reason) => {
    expect(scan(document)).toEqual({ is: 'refused', reason: expect.stringMatching(reason) });
  });

  it.each([
    ['another root', '<Response><Errors/></Response>'],
    ['text before the root', `x${answer('')}`],
    ['text after it', `${answer('')}x`],
    ['a second root', answer('') + answer('')],
    ['a document type', `<!DOCTYPE a [<!ENTITY b "c">]>${answer('')}`],
    ['tags that do not pair', answer('<a><b></a></b>')],
    ['an end without a beginning', answer('</a>')],
    ['an attribute without quotes', answer('<a b=c/>')],
    ['attributes where text is read', valueIs('x').replace('<value>', '<value a="b">')],
    ['attributes of the root that are names of fields', answer('').replace('>', ' nextToken="x">')],
    ['elements where text is read', valueIs('a<b/>c')],
    ['a comment that overlaps itself', answer('<!-->-->')],
    ['a name that is none', answer('<a&/>')],
    ['more levels than answers have', answer('<a>'.repeat(300) + '</a>'.repeat(300))],
    ['a comment without end', answer(`<!-- ${'x'.repeat(2_000_000)} -->`).slice(0, 1_500_000)],
  ])('leaves %s to others', (_, document) => {
    expect(scan(document).is).toBe('odd');
  });

  it('keeps what it said, whatever follows', () => {
    const bytes = Buffer.from(answer('</a>') + answer(''));
    const reader = new AnswerScan();
    expect(reader.advance(bytes, 60)).toEqual({ is: 'odd' });
    expect(reader.advance(bytes, bytes.length)).toEqual({ is: 'odd' });
    expect(reader.finish(bytes.length)).toEqual({ is: 'odd' });
  });
});

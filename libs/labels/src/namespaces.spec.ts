import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { awsLabelKey, labelsIn, namespaceOf } from './namespaces.ts';

describe('namespaceOf', () => {
  it.each([
    ['aws/team', 'aws/'],
    ['aws/', 'aws/'],
    ['aws//', 'aws/'],
    ['aws/dynamic/team', 'aws/'],
    ['dynamic/team', 'dynamic/'],
    ['dynamic/aws/team', 'dynamic/'],
    ['aws', undefined],
    ['AWS/team', undefined],
    ['Dynamic/team', undefined],
    ['aws:team', undefined],
    ['awsx/team', undefined],
    ['/aws/team', undefined],
    [' aws/team', undefined],
    ['team', undefined],
    ['', undefined],
    ['__proto__', undefined],
  ])('of %j is %j', (key, namespace) => {
    expect(namespaceOf(key)).toBe(namespace);
  });
});

describe('awsLabelKey', () => {
  it.each([
    ['Name', 'aws/Name'],
    ['Patch Group', 'aws/Patch Group'],
    ['kubernetes.io/role', 'aws/kubernetes.io/role'],
    ['aws:autoscaling:groupName', 'aws/aws:autoscaling:groupName'],
    ['aws/', 'aws/aws/'],
    ['__proto__', 'aws/__proto__'],
    ['', 'aws/'],
  ])('of the tag %j is %j', (tag, key) => {
    expect(awsLabelKey(tag)).toBe(key);
  });

  it('keeps the whole key, and keeps keys apart', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (tag) => {
        expect(awsLabelKey(tag).slice('aws/'.length)).toBe(tag);
        expect(namespaceOf(awsLabelKey(tag))).toBe('aws/');
      }),
    );
  });
});

describe('labelsIn', () => {
  it('picks the labels of one namespace, under their whole keys', () => {
    const labels = new Map([
      ['aws/team', 'a'],
      ['dynamic/team', 'b'],
      ['team', 'c'],
      ['aws/__proto__', 'd'],
    ]);
    expect(labelsIn('aws/', labels)).toEqual(
      new Map([
        ['aws/team', 'a'],
        ['aws/__proto__', 'd'],
      ]),
    );
    expect(labelsIn('dynamic/', labels)).toEqual(new Map([['dynamic/team', 'b']]));
    expect(labelsIn('dynamic/', new Map([['team', 'c']]))).toEqual(new Map());
  });
});

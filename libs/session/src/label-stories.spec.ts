import { describe, expect, it } from '@jest/globals';
import { NOT_ASSIGNED } from './assigned-labels.ts';
import type { AssignedSource } from './assigned-labels.ts';
import { labelStories } from './label-stories.ts';
import { wantedLabels } from './wanted-labels.ts';

function source(name: string, labels: Record<string, string>): AssignedSource {
  return {
    name,
    revision: 1,
    labels: new Map(Object.entries(labels)),
    observedAt: undefined,
    expiresAt: undefined,
  };
}

describe('labelStories', () => {
  it('says who has the word on each key, and whom it overrules, the strongest first', () => {
    const wanted = wantedLabels({
      discovered: { state: 'live', source: { ...source('', { 'aws/team': 'db' }), expiresAt: 9 } },
      held: { state: 'none' },
      assigned: {
        byInstance: [source('i', { 'dynamic/k': '2', 'dynamic/i': '1' })],
        byServerId: [source('n', { 'dynamic/k': '3' })],
        select: () => [{ source: source('s', { 'dynamic/k': '1' }), restsOnAws: true }],
      },
    });
    if (wanted.state !== 'known') throw new Error('nothing is known');
    const told = labelStories(wanted).map(({ key, value, speaker, omitted, overruled }) => [
      key,
      value,
      speaker.by,
      'source' in speaker ? speaker.source.name : speaker.span.expiresAt,
      omitted,
      overruled.map(({ value: word, layer }) => `${layer.by} ${layer.source.name}: ${word}`),
    ]);
    expect(told).toEqual([
      ['aws/team', 'db', 'discovery', 9, false, []],
      ['dynamic/k', '3', 'server-id', 'n', false, ['instance i: 2', 'selector s: 1']],
      ['dynamic/i', '1', 'instance', 'i', false, []],
    ]);
  });

  it('tells which are left out', () => {
    const many = Array.from({ length: 201 }, (_, index) => [`dynamic/${1_000 + index}`, '1'] as const);
    const wanted = wantedLabels({
      discovered: { state: 'gone' },
      held: { state: 'none' },
      assigned: { ...NOT_ASSIGNED, byServerId: [source('n', Object.fromEntries(many))] },
    });
    if (wanted.state !== 'known') throw new Error('nothing is known');
    const omitted = labelStories(wanted).filter((story) => story.omitted);
    expect(omitted.map(({ key }) => key)).toEqual(['dynamic/1200']);
  });
});

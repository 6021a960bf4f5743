import { describe, expect, it } from '@jest/globals';
import { figureOf, median } from './figure.ts';

describe('median', () => {
  it.each([
    [[3], 3],
    [[1, 9, 2], 2],
    [[4, 1, 3, 2], 2.5],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it('of nothing is an error', () => {
    expect(() => median([])).toThrow(RangeError);
  });
});

describe('figureOf', () => {
  const samples = [
    { value: 10, floor: 10 },
    { value: 30, floor: 20 },
    { value: 20, floor: 10 },
  ];

  it('takes the median of the ratios, not the ratio of the medians', () => {
    expect(figureOf({ name: 'n', unit: 's', samples })).toMatchObject({ value: 20, floor: 10, ratio: 1.5 });
  });

  it.each([
    [{ of: 'ratio', at: 'most', bound: 1.5 } as const, true, '≤ 1.5× floor'],
    [{ of: 'ratio', at: 'most', bound: 1.4 } as const, false, '≤ 1.4× floor'],
    [{ of: 'ratio', at: 'least', bound: 1.6 } as const, false, '≥ 1.6× floor'],
    [{ of: 'value', at: 'most', bound: 20 } as const, true, '≤ 20 s'],
  ])('holds %j: %s', (goal, holds, text) => {
    expect(figureOf({ name: 'n', unit: 's', samples, goal })).toMatchObject({ holds, goal: text });
  });

  it('without floor or goal says neither', () => {
    const figure = figureOf({ name: 'n', unit: 's', samples: [{ value: 0.12345, floor: undefined }] });
    expect(figure).toEqual({
      name: 'n',
      unit: 's',
      value: 0.123,
      floor: null,
      ratio: null,
      goal: null,
      holds: null,
    });
  });

  it('with a ratio goal but no floor does not hold', () => {
    const goal = { of: 'ratio', at: 'most', bound: 2 } as const;
    expect(figureOf({ name: 'n', unit: 's', samples: [{ value: 1, floor: undefined }], goal }).holds).toBe(
      false,
    );
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DueHeap } from './due-heap.ts';

describe('a heap of what becomes due', () => {
  it('gives what is due, the first first, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { maxLength: 60 }), fc.nat(50), (times, now) => {
        const heap = new DueHeap<{ dueAt: number }>();
        for (const dueAt of times) heap.push({ dueAt });
        expect(heap.size).toBe(times.length);
        expect(heap.nextAt).toBe(times.length === 0 ? undefined : Math.min(...times));
        const taken: number[] = [];
        for (let due = heap.popDue(now); due !== undefined; due = heap.popDue(now)) taken.push(due.dueAt);
        expect(taken).toEqual(times.filter((time) => time <= now).toSorted((a, b) => a - b));
        expect(heap.size).toBe(times.length - taken.length);
      }),
    );
  });
});

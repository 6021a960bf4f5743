import { describe, expect, it } from '@jest/globals';
import { certificateProblem, certifiedBy } from './certified.ts';
import { sampleInstance, sampleServerId } from './testing/index.ts';

const WEB = sampleServerId('web-1');
const ONE = sampleInstance('1');
const TWO = sampleInstance('2');

describe('certificateProblem', () => {
  it.each([
    ['nothing is known', { instance: ONE }, {}, undefined],
    ['all is the same', { instance: ONE }, { configuredId: WEB, instance: ONE }, undefined],
    ['it proves no instance', { instance: undefined }, { instance: ONE }, undefined],
    ['another id is configured', { instance: ONE }, { configuredId: sampleServerId('b') }, /server_id is b/],
    ['this is another instance', { instance: ONE }, { instance: TWO }, /abcdef1, and this is .*abcdef2$/],
  ])('%s', (_, certified, known, problem) => {
    const found = certificateProblem(
      { serverId: WEB, ...certified },
      { configuredId: undefined, instance: undefined, ...known },
    );
    if (problem === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(problem);
  });
});

describe('certifiedBy', () => {
  it('takes the name for a server id', () => {
    expect(certifiedBy({ name: 'web-1', instance: ONE })).toEqual({ serverId: WEB, instance: ONE });
    expect(() => certifiedBy({ name: 'a/b', instance: ONE })).toThrow(TypeError);
  });
});

import { describe, expect, it } from '@jest/globals';
import type { AccountId, Region } from '@tagplane/identity';
import fc from 'fast-check';
import { blocksOf } from '../testing/blocks.ts';
import { EstateBook } from './estate-book.ts';
import { diffScopes, planScopes } from './plan-scopes.ts';

const [A, B] = ['111111111111', '222222222222'] as unknown as [AccountId, AccountId];
const [WEST, EAST, CHINA] = ['eu-west-1', 'us-east-1', 'cn-north-1'] as unknown as [Region, Region, Region];
const ROLE = { assume_role: { role_name: 'Tags' } };

const idsOf = (blocks: ReturnType<typeof blocksOf>, book = new EstateBook()): string[] =>
  planScopes(blocks, book).scopes.map(({ id }) => id);

describe('the scopes of an estate', () => {
  it('are blocks at places, named by region, account, and number where one comes again', () => {
    const blocks = blocksOf(
      { regions: [WEST, EAST] },
      { regions: [WEST], tags: { env: 'prod' } },
      { accounts: [A, B, A], regions: [WEST], ...ROLE },
      { accounts: [B], regions: [WEST, EAST], ...ROLE },
    );
    const { scopes } = planScopes(blocks, new EstateBook());
    expect(scopes.map(({ id, block }) => [id, block])).toEqual([
      ['eu-west-1', 0],
      ['us-east-1', 0],
      ['eu-west-1#2', 1],
      [`${A}/eu-west-1`, 2],
      [`${B}/eu-west-1`, 2],
      [`${B}/eu-west-1#2`, 3],
      [`${B}/us-east-1`, 3],
    ]);
    expect(scopes[0]?.place).toEqual({ partition: 'aws', account: undefined, region: WEST });
  });

  it('know the account of the own credentials once it is told, by partition', () => {
    const blocks = blocksOf({ regions: [WEST, CHINA] });
    const book = new EstateBook();
    const before = planScopes(blocks, book).scopes;
    book.noteOwn('aws', A);
    const after = planScopes(blocks, book).scopes;
    expect(after.map(({ place }) => place.account)).toEqual([A, undefined]);
    expect(diffScopes(before, after)).toEqual({ begin: [after[0]], end: [before[0]] });
  });

  it('are those of the account in a role’s ARN where no accounts are given', () => {
    const blocks = blocksOf({ regions: [WEST], assume_role: { role_arn: `arn:aws:iam::${B}:role/Tags` } });
    expect(idsOf(blocks)).toEqual([`${B}/eu-west-1`]);
  });

  it('wait for the accounts of an organisation and the regions of each account', () => {
    const blocks = blocksOf({ organization: {}, regions: ['*'], ...ROLE });
    const book = new EstateBook();
    const stands = (): unknown[] =>
      planScopes(blocks, book).placeholders.map(({ id, missing }) => [id, missing]);
    expect(stands()).toEqual([['organization', 'accounts']]);
    book.noteAccounts(0, [A, B]);
    expect(stands()).toEqual([
      [A, 'regions'],
      [B, 'regions'],
    ]);
    book.noteRegions(0, A, [WEST, CHINA]);
    // A region of another partition is none of this block's.
    expect(idsOf(blocks, book)).toEqual([`${A}/eu-west-1`]);
    expect(stands()).toEqual([[B, 'regions']]);
  });

  it('stay when what they were found by fails later, which a placeholder tells', () => {
    const blocks = blocksOf({ organization: {}, regions: ['*'], ...ROLE });
    const book = new EstateBook();
    book.noteAccounts(0, [A]);
    book.noteRegions(0, A, [WEST]);
    book.failedAccounts(0, 'denied');
    book.failedRegions(0, A, 'denied as well');
    const { scopes, placeholders } = planScopes(blocks, book);
    expect(scopes).toHaveLength(1);
    expect(placeholders.map((each) => [each.id, book.problem(each)])).toEqual([
      ['organization', 'denied'],
      [A, 'denied as well'],
    ]);
    book.noteAccounts(0, [A]);
    book.noteRegions(0, A, [WEST]);
    expect(planScopes(blocks, book).placeholders).toEqual([]);
  });

  it('have one name each, and change by what came and went only', () => {
    const account = fc.constantFrom(A, B);
    const block = fc.record({
      accounts: fc.option(fc.uniqueArray(account, { minLength: 1 }), { nil: undefined }),
      regions: fc.uniqueArray(fc.constantFrom(WEST, EAST), { minLength: 1 }),
    });
    const estate = fc
      .array(block, { maxLength: 4 })
      .map((blocks) =>
        blocksOf(
          ...blocks.map(({ accounts, regions }) =>
            accounts === undefined ? { regions } : { accounts, regions, ...ROLE },
          ),
        ),
      );
    fc.assert(
      fc.property(estate, estate, (one, other) => {
        const [before, after] = [one, other].map((blocks) => planScopes(blocks, new EstateBook()).scopes);
        if (before === undefined || after === undefined) throw new Error('two were planned');
        expect(new Set(after.map(({ id }) => id)).size).toBe(after.length);
        const { begin, end } = diffScopes(before, after);
        const left = before.filter((scope) => !end.includes(scope));
        expect(new Set([...left, ...begin].map((scope) => JSON.stringify(scope)))).toEqual(
          new Set(after.map((scope) => JSON.stringify(scope))),
        );
      }),
    );
  });
});

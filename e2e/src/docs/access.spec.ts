import { beforeAll, describe, expect, it } from '@jest/globals';
import type { AccessRole, LabelSet, NodeLabels } from '@tagplane/access';
import { compileRoles, decide, decisionText } from '@tagplane/access';
import { referenceDecide } from '@tagplane/access/testing';
import type { LabelLookup, Selector } from '@tagplane/labels';
import { compileSelector, parseSelector } from '@tagplane/labels';
import { MINUTE, parseDuration } from '@tagplane/runtime';
import { fencedBlocks, readDocument, tableUnder } from './markdown.ts';
import { importSource } from './programs.ts';

const NOW = 1000 * MINUTE;
const YES = parseSelector('key=yes');
const NO = parseSelector('key=no');
const LOST = parseSelector('gone=yes');
/** Selectors that are this on a node with `key=yes`. */
const BY_TRUTH: Readonly<Record<string, Selector>> = { true: YES, false: NO, unknown: LOST };

let text: string;

beforeAll(async () => {
  ({ text } = await readDocument('docs/access.md'));
});

function nodeLabels(...sets: readonly Partial<LabelSet>[]): NodeLabels {
  const bare = {
    source: 'discovered',
    labels: new Map(),
    observedAt: undefined,
    expiresAt: undefined,
  } as const;
  return { sets: sets.map((set) => ({ ...bare, ...set })) };
}

describe('the truth table of docs/access.md', () => {
  it('says what a term is', () => {
    const rows = tableUnder(text, '### A term');
    expect(rows).toHaveLength(5);
    for (const [state, matches, truth] of rows) {
      const labels = new Map(state === 'missing' ? [] : [['key', matches === 'no' ? 'no' : 'yes']]);
      const observedAt = state === 'too old' ? NOW - 10 * MINUTE : NOW - 10 * MINUTE + 1;
      const expiresAt = state === 'stale' ? NOW : NOW + 1;
      const node = nodeLabels({ labels, observedAt, expiresAt });
      // An allow rule tells true from the others, a deny rule false from the others.
      const role = { name: 'r', description: '', maxLabelAgeMs: 10 * MINUTE };
      const rule = { logins: ['*'], nodeLabels: YES };
      const every = { logins: ['*'], nodeLabels: parseSelector('*=*') };
      const allowed = (...roles: AccessRole[]): boolean =>
        decide(node, compileRoles(roles), { login: 'x', roles: ['r'], traits: new Map() }, NOW).allowed;
      const isTrue = allowed({ ...role, allow: [rule], deny: [] });
      const isFalse = allowed({ ...role, allow: [every], deny: [rule] });
      expect([state, matches, isTrue ? 'true' : isFalse ? 'false' : 'unknown']).toEqual([
        state,
        matches,
        truth,
      ]);
    }
  });

  it('says what a selector is', () => {
    const rows = tableUnder(text, '### A selector');
    expect(new Set(rows.map(([one, other]) => `${one ?? ''} ${other ?? ''}`)).size).toBe(9);
    const keys = { true: 'yes', false: 'no' } as Readonly<Record<string, string>>;
    for (const [one = '', other = '', truth] of rows) {
      const lookup: LabelLookup = (key) => keys[key === 'one' ? one : other];
      const verdict = compileSelector(parseSelector('one=yes, other=yes')).test(lookup);
      expect([one, other, verdict.truth]).toEqual([one, other, truth]);
    }
  });

  it('says what a decision is, wherever the rules stand', () => {
    const rows = tableUnder(text, '### A decision');
    expect(new Set(rows.map(([allow, deny]) => `${allow ?? ''} ${deny ?? ''}`)).size).toBe(13);
    const node = nodeLabels({ labels: new Map([['key', 'yes']]) });
    const rules = (truth: string): AccessRole['allow'] => {
      const selector = BY_TRUTH[truth];
      return selector === undefined ? [] : [{ logins: ['x'], nodeLabels: selector }];
    };
    for (const [allow = '', deny = '', decision] of rows) {
      const role = { description: '', maxLabelAgeMs: undefined };
      const together = [{ ...role, name: 'a', allow: rules(allow), deny: rules(deny) }];
      const apart = [
        { ...role, name: 'a', allow: rules(allow), deny: [] },
        { ...role, name: 'b', allow: [], deny: rules(deny) },
      ];
      for (const roles of [together, apart]) {
        const request = { login: 'x', roles: ['a', 'b'], traits: new Map() };
        const { allowed } = decide(node, compileRoles(roles), request, NOW);
        expect([allow, deny, allowed ? 'allowed' : 'denied']).toEqual([allow, deny, decision]);
        expect(referenceDecide(node, roles, request, NOW).allowed).toBe(allowed);
      }
    }
  });
});

describe('the worked examples of docs/access.md', () => {
  async function documentedRoles(): Promise<AccessRole[]> {
    const { roleSchema } = (await importSource('apps/tagctl/src/create/role-schema.ts')) as {
      readonly roleSchema: { parse(document: unknown): { readonly role: AccessRole } };
    };
    const { parseFile } = (await importSource('apps/tagctl/src/create/documents.ts')) as {
      readonly parseFile: (text: string) => { readonly documents: readonly { readonly value: unknown }[] };
    };
    const { documents } = parseFile(fencedBlocks(text, 'yaml').join('---\n'));
    return documents.map(({ value }) => roleSchema.parse(value).role);
  }

  /** `key=value`, and in parentheses `stale` or how old it is; observed a minute ago without. */
  function documentedLabels(cell: string): NodeLabels {
    const sets = cell
      .replaceAll('`', '')
      .split(', ')
      .map((each): Partial<LabelSet> => {
        const [, key = '', value = '', note] = /^(\S+)=(\S+)(?: \((.*)\))?$/.exec(each) ?? [];
        const old =
          note === undefined || note === 'stale' ? undefined : parseDuration(note.replace(' old', ''));
        const observedAt = NOW - (note === 'stale' ? 1.5 * MINUTE : (old ?? MINUTE));
        const source = key.startsWith('dynamic/') ? 'assigned' : 'discovered';
        return {
          source,
          labels: new Map([[key, value]]),
          observedAt,
          expiresAt: note === 'stale' ? NOW - 0.5 * MINUTE : undefined,
        };
      });
    return nodeLabels(...sets);
  }

  async function answers(): Promise<string[]> {
    const roles = compileRoles(await documentedRoles());
    return tableUnder(text, '## Worked examples').map(([labels = '', asks = '']) => {
      const [, login = '', names = ''] = /^`(.*)` as `(.*)`$/.exec(asks) ?? [];
      const request = { login, roles: names.split(', '), traits: new Map() };
      return decisionText(decide(documentedLabels(labels), roles, request, NOW));
    });
  }

  it('are answered as the table says', async () => {
    const documented = tableUnder(text, '## Worked examples').map(([, , answer]) => answer);
    expect(documented.length).toBeGreaterThan(10);
    expect((await answers()).map((answer) => answer.split('\n')[0])).toEqual(documented);
  });

  it('are explained as it says', async () => {
    const [third, fifth, ...others] = fencedBlocks(text, 'text');
    expect(others).toEqual([]);
    const given = await answers();
    expect([`${given[2] ?? ''}\n`, `${given[4] ?? ''}\n`]).toEqual([third, fifth]);
  });

  it('are of roles whose fields are all described', async () => {
    const fields = tableUnder(text, '## Roles').map(([field]) => field);
    expect(fields).toEqual(
      ['metadata.name', 'metadata.description', 'spec.max_label_age', 'spec.allow', 'spec.deny'].concat(['logins', 'node_labels'])
        .map((field) => `\`${field}\``),
    ); // prettier-ignore
    expect((await documentedRoles()).map(({ name }) => name)).toEqual(['release', 'on-call']);
  });
});

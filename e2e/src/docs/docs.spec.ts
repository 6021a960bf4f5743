import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Document } from './markdown.ts';
import { ROOT, allDocuments, anchors, fencedBlocks, inlineCode } from './markdown.ts';
import { runProgram, tagctlMentionProblem, tagctlProblem, tagctlTree } from './programs.ts';
import { shellWords } from './shell-words.ts';

let folder: string;
let documents: Document[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tagplane-docs-'));
  documents = await allDocuments();
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

function textOf(path: string): string {
  const document = documents.find((each) => each.path === path);
  if (document === undefined) throw new Error(`there is no ${path}`);
  return document.text;
}

describe('configurations in the documents', () => {
  it.each(['auth', 'discovery', 'agent'])(
    'are ones that %s takes',
    async (program) => {
      const head = `# ${program}.yaml\n`;
      const blocks = documents
        .flatMap(({ text }) => fencedBlocks(text, 'yaml'))
        .filter((block) => block.startsWith(head));
      expect(blocks.length).toBeGreaterThan(0);
      for (const block of blocks) {
        const file = join(folder, `${program}.yaml`);
        await writeFile(file, block);
        const said = await runProgram(program, 'config', 'check', '--config', file);
        expect(said).toContain('the configuration is good');
      }
    },
    240_000,
  );
});

describe('command lines in the documents', () => {
  it('are ones that tagctl takes', async () => {
    const lines = shellLines().filter(([program]) => program === 'tagctl');
    expect(lines.length).toBeGreaterThan(20);
    const bad: string[] = [];
    for (const [program, ...words] of lines) {
      const problem = await tagctlProblem(words);
      if (problem !== undefined) bad.push(`${[program, ...words].join(' ')}: ${problem}`);
    }
    expect(bad).toEqual([]);
  });

  it('are named in prose by commands and flags that tagctl has', async () => {
    const tree = await tagctlTree();
    const mentions = documents
      .flatMap(({ text }) => inlineCode(text))
      .filter((code) => code.startsWith('tagctl '));
    expect(mentions.length).toBeGreaterThan(5);
    const bad = mentions.filter(
      (code) => tagctlMentionProblem(tree, shellWords(code).slice(1)) !== undefined,
    );
    expect(bad).toEqual([]);
  });

  it('have only flags of `tagplane-auth bootstrap` that it has', async () => {
    const lines = shellLines().filter(
      ([program, command]) => program === 'tagplane-auth' && command === 'bootstrap',
    );
    expect(lines.length).toBeGreaterThan(0);
    const help = await runProgram('auth', 'bootstrap', '--help');
    const flags = lines.flat().filter((word) => word.startsWith('--'));
    expect(flags.filter((flag) => !help.includes(`  ${flag} `))).toEqual([]);
  }, 60_000);
});

describe('docs/operating.md', () => {
  it('names only events that the programs log', async () => {
    const [, messages = ''] = textOf('docs/operating.md').split('## Messages');
    const rows = messages.split('\n').filter((line) => line.startsWith('| `'));
    const events = rows.flatMap((row) =>
      [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name),
    );
    expect(events.length).toBeGreaterThan(10);
    const sources = await allSources();
    expect(events.filter((event) => !sources.includes(`event: '${event ?? ''}'`))).toEqual([]);
  });
});

describe('metrics in the documents', () => {
  it('are metrics that the programs have', async () => {
    const names = new Set(
      documents.flatMap(({ text }) => text.match(/tagplane_(?:auth|discovery|agent)_\w+/g) ?? []),
    );
    expect(names.size).toBeGreaterThan(10);
    const sources = await allSources();
    // Some are written whole, some without what all of a service's have in front, some for any service.
    const missing = [...names].filter((name) => {
      const own = name.replace(/^tagplane_[a-z]+_/, '');
      return ![`'${name}'`, `'${own}'`, `}_${own}\``].some((form) => sources.includes(form));
    });
    expect(missing).toEqual([]);
  });
});

describe('links between documents', () => {
  it('lead to files that are there, and to headings in them', async () => {
    const broken: string[] = [];
    for (const { path, text } of documents) {
      for (const [, target = '', anchor] of text.matchAll(/\]\(((?!https?:)[^)#]*)(?:#([^)]+))?\)/g)) {
        const file = target === '' ? path : join(path, '..', target);
        const found = await readFile(join(ROOT, file), 'utf8').catch(() => undefined);
        const leads = found !== undefined && (anchor === undefined || anchors(found).has(anchor));
        if (!leads) broken.push(`${path}: ${target}#${anchor ?? ''}`);
      }
    }
    expect(broken).toEqual([]);
  });
});

/** The words of each line for a shell, without `npx` in front. */
function shellLines(): string[][] {
  return documents
    .flatMap(({ text }) => fencedBlocks(text, 'sh'))
    .flatMap((block) => block.split('\n'))
    .map((line) => shellWords(line.replace(/^npx /, '')));
}

async function allSources(): Promise<string> {
  const texts: string[] = [];
  for (const top of ['apps', 'libs']) {
    for (const path of await readdir(join(ROOT, top), { recursive: true })) {
      if (!path.includes('node_modules') && /src\/.*\.ts$/.test(path) && !path.endsWith('.spec.ts')) {
        texts.push(await readFile(join(ROOT, top, path), 'utf8'));
      }
    }
  }
  return texts.join('\n');
}

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

let folder: string;
let deploying: string;
let operating: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tagplane-docs-'));
  deploying = await readFile(join(ROOT, 'docs/deploying.md'), 'utf8');
  operating = await readFile(join(ROOT, 'docs/operating.md'), 'utf8');
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('docs/deploying.md', () => {
  it.each(['auth', 'discovery', 'agent'])(
    'has a configuration of %s that its program takes',
    async (program) => {
      const file = join(folder, `${program}.yaml`);
      await writeFile(file, yamlBlock(deploying, `${program}.yaml`));
      const main = join(ROOT, 'apps', program, 'src/main.ts');
      const check = ['--conditions=@tagplane/source', main, 'config', 'check', '--config', file];
      const { stdout } = await run(process.execPath, check);
      expect(stdout).toContain('the configuration is good');
    },
    60_000,
  );
});

describe('docs/operating.md', () => {
  it('names only events that the programs log', async () => {
    const [, messages = ''] = operating.split('## Messages');
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
    const names = new Set<string>();
    for (const document of ['README.md', ...(await markdownIn('docs'))]) {
      const text = await readFile(join(ROOT, document), 'utf8');
      for (const [name] of text.matchAll(/tagplane_(?:auth|discovery|agent)_\w+/g)) names.add(name);
    }
    expect(names.size).toBeGreaterThan(10);
    const sources = await allSources();
    // Some are written whole, some without what all of a service's have in front.
    const missing = [...names].filter(
      (name) =>
        !sources.includes(`'${name}'`) && !sources.includes(`'${name.replace(/^tagplane_[a-z]+_/, '')}'`),
    );
    expect(missing).toEqual([]);
  });
});

describe('links between documents', () => {
  it('lead to files that are there', async () => {
    const documents = ['README.md', ...(await markdownIn('docs')), ...(await markdownIn('docs/adr'))];
    const broken: string[] = [];
    for (const document of documents) {
      const text = await readFile(join(ROOT, document), 'utf8');
      for (const [, target = ''] of text.matchAll(/\]\(((?!https?:)[^)#]+)/g)) {
        const found = await readFile(join(ROOT, document, '..', target)).catch(() => undefined);
        if (found === undefined) broken.push(`${document}: ${target}`);
      }
    }
    expect(broken).toEqual([]);
  });
});

/** The fenced block whose first line is a comment with this file's name. */
function yamlBlock(text: string, name: string): string {
  const [, block] =
    new RegExp(`\`\`\`yaml\\n# ${name.replace('.', '\\.')}\\n([\\s\\S]*?)\`\`\``).exec(text) ?? [];
  if (block === undefined) throw new Error(`there is no block for ${name}`);
  return block;
}

async function markdownIn(path: string): Promise<string[]> {
  return (await readdir(join(ROOT, path)))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(path, name));
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

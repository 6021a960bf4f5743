import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, mkdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { buildClean } from './build-clean.ts';
import { Consumer } from './consumer.ts';
import { servicesFor } from './example-services.ts';
import type { Library } from './libraries.ts';
import { publishedLibraries, readManifest } from './libraries.ts';
import { importsOf, packagesOf } from './module-imports.ts';
import { readmeExample } from './readme-example.ts';
import { mustRun } from './run.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** Build, pack, install, and two rounds of type checks, on a busy machine. */
const STEP_MS = 900_000;

const libraries = publishedLibraries(ROOT);
const workspace = readManifest(ROOT);

let folder: string;
let built: string;
let consumer: Consumer;

beforeAll(async () => {
  // The real path, for the compiler tells files apart by it.
  folder = await realpath(await mkdtemp(join(tmpdir(), 'tagplane-pack-')));
  built = join(folder, 'build');
  const tarballs = join(folder, 'tarballs');
  for (const each of [built, tarballs]) await mkdir(each);
  const folders = await buildClean(ROOT, libraries, built);
  await mustRun('npm', ['pack', '--pack-destination', tarballs, ...folders], {
    cwd: built,
    timeoutMs: STEP_MS,
  });
  consumer = new Consumer(join(folder, 'consumer'));
  await consumer.create({
    ...Object.fromEntries(libraries.map(({ manifest }) => [manifest.name, tarballOf(manifest, tarballs)])),
    ...Object.fromEntries(libraries.flatMap(exampleDependencies)),
    '@types/node': workspace.devDependencies?.['@types/node'] ?? '',
  });
}, STEP_MS);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
}, STEP_MS);

function tarballOf({ name, version }: Library['manifest'], tarballs: string): string {
  return `file:${join(tarballs, `${name.slice(1).replace('/', '-')}-${version}.tgz`)}`;
}

function exampleOf(library: Library): ReturnType<typeof readmeExample> {
  return readmeExample(readFileSync(join(library.folder, 'README.md'), 'utf8'));
}

/** What a README's example imports beside this workspace's libraries, in the version that its library has. */
function exampleDependencies(library: Library): [string, string][] {
  const others = packagesOf(exampleOf(library).code).filter((name) => !name.startsWith('@tagplane/'));
  return others.map((name) => [name, library.manifest.dependencies?.[name] ?? 'undeclared']);
}

/** The files of an installed package, relative to it. */
function filesOf(name: string): string[] {
  const base = consumer.packageFolder(name);
  return readdirSync(base, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => posix.join(entry.parentPath.slice(base.length + 1), entry.name))
    .sort();
}

function read(name: string, file: string): string {
  return readFileSync(join(consumer.packageFolder(name), file), 'utf8');
}

describe.each(libraries.map((library) => [library.manifest.name, library] as const))(
  '%s',
  (name, library) => {
    const { manifest } = library;

    it('says what it is', () => {
      expect(manifest).toMatchObject({ version: workspace.version, license: 'Apache-2.0', type: 'module' });
      expect(manifest.description).toMatch(/^[A-Z].{20,140}\.$/);
      expect(manifest.repository).toBeUndefined();
      expect(read(name, 'LICENSE')).toBe(readFileSync(join(ROOT, 'LICENSE'), 'utf8'));
      expect(read(name, 'README.md')).toMatch(new RegExp(`^# ${name}\n\n[A-Z]`));
    });

    it('holds what was compiled from its sources, and nothing else', () => {
      const sources = readdirSync(join(library.folder, 'src'), { recursive: true, encoding: 'utf8' })
        .filter((path) => path.endsWith('.ts') && !path.endsWith('.spec.ts'))
        // Without an entry of its own it is for the library's own tests.
        .filter(
          (path) => !path.startsWith('testing/') || library.manifest.exports?.['./testing'] !== undefined,
        )
        .map((path) => path.slice(0, -'.ts'.length));
      expect(sources).toContain('index');
      const compiled = sources.flatMap((path) =>
        ['.js', '.js.map', '.d.ts', '.d.ts.map'].map((ending) => `dist/${path}${ending}`),
      );
      expect(filesOf(name)).toEqual(['LICENSE', 'README.md', 'package.json', ...compiled].sort());
    });

    it('exports files that are there', () => {
      const files = filesOf(name).map((file) => `./${file}`);
      expect(Object.keys(manifest.exports ?? {})).toContain('.');
      for (const conditions of Object.values(manifest.exports ?? {})) {
        expect(Object.keys(conditions)).toEqual(['@tagplane/source', 'types', 'default']);
        expect(files).toEqual(expect.arrayContaining([conditions['types'], conditions['default']]));
      }
    });

    it('imports files that are there, and only packages that it declares', () => {
      const peers = Object.keys(manifest.peerDependencies ?? {});
      for (const peer of peers) expect(manifest.peerDependenciesMeta?.[peer]).toEqual({ optional: true });
      const declared = Object.keys(manifest.dependencies ?? {});
      const used = new Set<string>();
      const files = filesOf(name);
      for (const file of files.filter((path) => /\.(js|d\.ts)$/.test(path))) {
        const source = read(name, file);
        const allowed = file.startsWith('dist/testing/') ? [...declared, ...peers] : declared;
        for (const imported of packagesOf(source)) {
          used.add(imported);
          expect(`${file}: ${allowed.find((each) => each === imported)}`).toBe(`${file}: ${imported}`);
        }
        for (const path of importsOf(source).filter((each) => each.startsWith('.'))) {
          const target = posix.join(dirname(file), path);
          expect(files).toContain(file.endsWith('.d.ts') ? target.replace(/\.(js|ts)$/, '.d.ts') : target);
        }
      }
      expect([...used].sort()).toEqual([...declared, ...peers].sort());
    });

    it('names no folder of the machine that built it', () => {
      for (const file of filesOf(name)) {
        const content = read(name, file);
        for (const secret of [folder, ROOT])
          expect(`${file}: ${content.includes(secret)}`).toBe(`${file}: false`);
      }
    });
  },
);

describe('a project that installs them', () => {
  it('has no Jest, which only the contract suites need', () => {
    expect(existsSync(consumer.packageFolder('@jest'))).toBe(false);
  });

  it(
    'type-checks the examples of all READMEs',
    async () => {
      for (const library of libraries) {
        await consumer.add(basename(library.folder), exampleOf(library).code);
      }
      expect(await consumer.typeCheck()).toEqual({ code: 0, stdout: '', stderr: '' });
    },
    STEP_MS,
  );

  it.each(libraries.map((library) => [library.manifest.name, library] as const))(
    'runs the example of %s, which prints what its README says',
    async (name, library) => {
      await using services = await servicesFor(name);
      const ended = await consumer.start(basename(library.folder), services.env);
      expect(ended).toEqual({ code: 0, stdout: exampleOf(library).output, stderr: '' });
    },
    STEP_MS,
  );

  it(
    'may use what they have for tests: beside Jest, all of it',
    async () => {
      const entries = libraries.flatMap(({ manifest }) =>
        Object.keys(manifest.exports ?? {})
          .filter((path) => path !== '.')
          .map((path) => ({
            path: posix.join(manifest.name, path),
            jest: manifest.peerDependencies !== undefined,
          })),
      );
      const importAll = (paths: readonly { path: string }[]): string => {
        const lines = paths.map(({ path }, index) => `import * as entry${index} from '${path}';`);
        const names = paths.map((_, index) => `entry${index}`).join(', ');
        return [...lines, `process.stdout.write(\`\${[${names}].length}\\n\`);`].join('\n');
      };
      const plain = entries.filter(({ jest }) => !jest);
      await consumer.add('testing-plain', importAll(plain));
      await consumer.add('testing-all', importAll(entries));
      await consumer.install(`@jest/globals@${workspace.devDependencies?.['@jest/globals'] ?? ''}`);
      expect(await consumer.typeCheck()).toEqual({ code: 0, stdout: '', stderr: '' });
      expect(await consumer.start('testing-plain')).toEqual({
        code: 0,
        stdout: `${plain.length}\n`,
        stderr: '',
      });
    },
    STEP_MS,
  );
});

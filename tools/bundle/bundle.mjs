#!/usr/bin/env node
// Bundles one program into a folder that runs with nothing but Node:
//   node tools/bundle/bundle.mjs apps/auth   →   apps/auth/dist/{main.js, its parts, their maps, package.json, LICENSE}
//   --small: shorter code, for a command line, whose start is mostly the reading of its own code
import { chmod, copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const root = new URL('../..', import.meta.url).pathname;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { small: { type: 'boolean' } },
});
const [folder] = positionals;
if (folder === undefined) {
  process.stderr.write('usage: bundle.mjs [--small] FOLDER\n');
  process.exit(2);
}
const source = join(root, folder);
const target = join(source, 'dist');
const { name, version, license, bin } = JSON.parse(await readFile(join(source, 'package.json'), 'utf8'));
const command = Object.keys(bin)[0];
const entry = join(source, 'src/main.ts');

await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
const common = {
  outdir: target,
  bundle: true,
  platform: 'node',
  target: 'node22',
  format: 'esm',
  conditions: ['@tagplane/source'],
  sourcemap: true,
  sourcesContent: false,
  legalComments: 'linked',
  logLevel: 'warning',
  minify: values.small === true,
};
const later = (await readFile(entry, 'utf8')).includes('await import(') ? await buildEntry() : [];
await build({
  ...common,
  entryPoints: later.length > 0 ? later : [{ in: entry, out: 'main' }],
  // What is only imported when it is needed costs nothing before.
  splitting: true,
  chunkNames: 'part-[hash]',
  // npm installs a copy for each workspace that needs it, because an older one sits at the root.
  alias: { yaml: createRequire(join(root, 'libs/runtime/package.json')).resolve('yaml') },
  // Dependencies in CommonJS call require(), which an ES module does not have.
  banner: {
    js: "import { createRequire as createBundleRequire } from 'node:module';\nconst require = createBundleRequire(import.meta.url);",
  },
});

/**
 * An entry that imports the rest only when it needs it becomes one file of its own, the only one that is read
 * for a command that needs no more: each further file takes about a millisecond. Resolves to what is imported.
 */
async function buildEntry() {
  const found = new Map();
  const apart = {
    name: 'apart',
    setup(plugin) {
      plugin.onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
        if (kind !== 'dynamic-import') return undefined;
        const name = basename(path, '.ts');
        found.set(name, { in: join(resolveDir, path), out: name });
        return { path: `./${name}.js`, external: true };
      });
    },
  };
  await build({ ...common, entryPoints: [{ in: entry, out: 'main' }], plugins: [apart] });
  return [...found.values()];
}

const bundle = await readFile(join(target, 'main.js'), 'utf8');
// The checkout's first line asks for the sources of the libraries; a bundle has none to ask for.
await writeFile(join(target, 'main.js'), bundle.replace(/^#!.*\n/, '#!/usr/bin/env node\n'));
await chmod(join(target, 'main.js'), 0o755);
await writeFile(
  join(target, 'package.json'),
  `${JSON.stringify({ name, version, license, type: 'module', engines: { node: '>=22' }, bin: { [command]: './main.js' } }, null, 2)}\n`,
);
await copyFile(join(root, 'LICENSE'), join(target, 'LICENSE'));

#!/usr/bin/env node
// Makes a release of the agent: its bundle, the Node that runs it, and the unit of systemd, as
//   dist/release/tagplane-agent-VERSION-linux-ARCH.tar.gz  and  ….tar.gz.sha256
// The same sources and the same Node make the same bytes.
//   node tools/bundle/release-agent.mjs [--arch x64|arm64] [--node FILE] [--out DIR]
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs, promisify } from 'node:util';

const run = promisify(execFile);
const root = new URL('../..', import.meta.url).pathname;
const { values } = parseArgs({
  options: {
    arch: { type: 'string', default: process.arch },
    node: { type: 'string' },
    out: { type: 'string', default: join(root, 'dist/release') },
  },
});
const { arch, out } = values;
if (arch !== 'x64' && arch !== 'arm64') {
  process.stderr.write('release-agent: --arch is x64 or arm64\n');
  process.exit(2);
}
const node = values.node ?? nodeOf(arch);
const { version } = JSON.parse(await readFile(join(root, 'apps/agent/package.json'), 'utf8'));
const name = `tagplane-agent-${version}-linux-${arch}`;

await run(process.execPath, [join(root, 'tools/bundle/bundle.mjs'), 'apps/agent']);
await mkdir(out, { recursive: true });
const work = await mkdtemp(join(tmpdir(), 'tagplane-release-'));
try {
  await fill(join(work, name));
  const tarball = join(out, `${name}.tar.gz`);
  await pack(work, tarball);
  const sha256 = await hash(tarball);
  await writeFile(`${tarball}.sha256`, `${sha256}  ${name}.tar.gz\n`);
  process.stdout.write(`${sha256}  ${tarball}\n`);
} finally {
  await rm(work, { recursive: true, force: true });
}

/** The Node that npm has installed for this kind of machine. */
function nodeOf(kind) {
  try {
    const manifest = createRequire(join(root, 'package.json')).resolve(`node-linux-${kind}/package.json`);
    return join(dirname(manifest), 'bin/node');
  } catch {
    process.stderr.write(
      `release-agent: the package node-linux-${kind} is not installed: give --node FILE\n`,
    );
    process.exit(2);
  }
}

async function fill(folder) {
  await mkdir(join(folder, 'bin'), { recursive: true });
  // Maps are for those who debug, and half of the bundle's bytes.
  const filter = (path) => !path.endsWith('.map');
  await cp(join(root, 'apps/agent/dist'), join(folder, 'program'), { recursive: true, filter });
  await copyFile(node, join(folder, 'bin/node'));
  await copyFile(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  await copyFile(join(dirname(node), '../LICENSE'), join(folder, 'LICENSE.node'));
  const unit = 'tagplane-agent.service';
  await copyFile(join(root, 'deploy/enroll', unit), join(folder, unit));
  const start = join(folder, 'bin/tagplane-agent');
  await writeFile(
    start,
    '#!/bin/sh\nhere=$(dirname "$(readlink -f "$0")")\nexec "$here/node" "$here/../program/main.js" "$@"\n',
  );
  await chmod(start, 0o755);
  await chmod(join(folder, 'bin/node'), 0o755);
}

/** Order, owners, modes and times are fixed, and gzip writes no time of its own. */
async function pack(work, tarball) {
  const tar = join(work, 'release.tar');
  await run('tar', [
    ...['--create', '--file', tar, '--directory', work, '--sort=name', '--format=ustar', '--mtime=@0'],
    ...['--owner=0', '--group=0', '--numeric-owner', '--mode=u=rwX,go=rX', name],
  ]);
  await run('gzip', ['--no-name', '-6', tar]);
  await copyFile(`${tar}.gz`, tarball);
}

async function hash(file) {
  const sum = createHash('sha256');
  for await (const chunk of createReadStream(file)) sum.update(chunk);
  return sum.digest('hex');
}

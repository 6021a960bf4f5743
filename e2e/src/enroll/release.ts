import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mustRun } from '../pack/run.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
export const INSTALLER = join(ROOT, 'deploy/enroll/install.sh');
const BUILD = { cwd: ROOT, timeoutMs: 240_000 };

export interface Release {
  readonly tarball: string;
  readonly sha256: string;
}

/** Makes the release as it is shipped. */
export async function makeRelease(folder: string): Promise<Release> {
  const said = await mustRun(
    process.execPath,
    [join(ROOT, 'tools/bundle/release-agent.mjs'), '--out', folder],
    BUILD,
  );
  const [sha256 = '', tarball = ''] = said.trim().split(/\s+/);
  return { sha256, tarball };
}

/** The same program under another version, as a later release would be. */
export async function remakeAs(version: string, from: Release, folder: string): Promise<Release> {
  const script = `
    mkdir "$2/again" && tar -xzf "$1" -C "$2/again" --strip-components=1 &&
    printf '#!/bin/sh\\n[ "$1" = --version ] && { echo "tagplane-agent %s"; exit; }\\n' "$3" >"$2/again/bin/new" &&
    sed 1d "$2/again/bin/tagplane-agent" >>"$2/again/bin/new" &&
    mv "$2/again/bin/new" "$2/again/bin/tagplane-agent" && chmod 755 "$2/again/bin/tagplane-agent" &&
    tar -cf - -C "$2" again | gzip -1 >"$2/again.tar.gz" && rm -r "$2/again"`;
  await mustRun('sh', ['-ec', script, 'sh', from.tarball, folder, version], BUILD);
  return hashed(join(folder, 'again.tar.gz'));
}

/** The same with one byte changed. */
export async function tamperWith(release: Release, folder: string): Promise<Release> {
  const bytes = await readFile(release.tarball);
  bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
  const tarball = join(folder, 'tampered.tar.gz');
  await writeFile(tarball, bytes);
  return { tarball, sha256: release.sha256 };
}

async function hashed(tarball: string): Promise<Release> {
  return {
    tarball,
    sha256: createHash('sha256')
      .update(await readFile(tarball))
      .digest('hex'),
  };
}

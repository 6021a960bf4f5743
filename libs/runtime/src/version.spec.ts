import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { VERSION } from './version.ts';

describe('VERSION', () => {
  it.each(['../../../package.json', '../package.json'])('is that of %s', (path) => {
    const manifest: unknown = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
    expect(manifest).toMatchObject({ version: VERSION });
  });
});

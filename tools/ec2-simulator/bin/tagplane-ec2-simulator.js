#!/usr/bin/env -S node --conditions=@tagplane/source
// A checkout has the sources, and the installed package has the bundle.
import { existsSync } from 'node:fs';

const source = new URL('../src/main.ts', import.meta.url);
const bundle = new URL('../dist/main.js', import.meta.url);
await import(existsSync(source) ? source.href : bundle.href);

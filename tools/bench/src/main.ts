#!/usr/bin/env -S node --conditions=@tagplane/source
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { figureOf } from './figure.ts';
import type { Figure } from './figure.ts';
import { table } from './report.ts';
import { SUITES, isSuiteName } from './suites.ts';

const USAGE = `tagplane-bench: each figure beside a floor measured in the same run

  --only NAME[,NAME]   of ${Object.keys(SUITES).join(', ')}
  --runs N             medians of this many runs (default 3)
  --instances N        of the suite discovery (default 100000)
  --format table|json  json: one array of {name, unit, value, floor, ratio, goal, holds}
  --out FILE           also write that array to a file
`;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    runs: { type: 'string', default: '3' },
    instances: { type: 'string' },
    format: { type: 'string', default: 'table' },
    out: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const names = values.only === undefined ? Object.keys(SUITES) : values.only.split(',');
const runs = Number(values.runs);
const instances = values.instances === undefined ? undefined : Number(values.instances);
const isCount = (count: number): boolean => Number.isInteger(count) && count >= 1;
if (values.help || !names.every(isSuiteName) || !isCount(runs) || !isCount(instances ?? 1)) {
  process.stderr.write(USAGE);
  process.exit(values.help ? 0 : 2);
}
const figures: Figure[] = [];
for (const name of names.filter(isSuiteName)) {
  process.stderr.write(`measuring ${name}\n`);
  figures.push(...(await SUITES[name]({ runs, instances })).map(figureOf));
}
const json = JSON.stringify(figures, null, 2);
process.stdout.write(`${values.format === 'json' ? json : table(figures)}\n`);
if (values.out !== undefined) await writeFile(values.out, `${json}\n`);

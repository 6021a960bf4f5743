import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { AUDIT_CODES } from './codes.ts';

const SOURCE = join(import.meta.dirname, '..');
const CODE = /^[a-z_]+\.[a-z_]+$/;

/** Every `code: '…'`, also of two that a condition chooses from. */
function usedCodes(): Map<string, string> {
  const used = new Map<string, string>();
  const files = globSync('**/*.ts', { cwd: SOURCE }).filter((file) => !/\.spec\.ts$|^testing\//.test(file));
  for (const file of files) {
    for (const [, value = ''] of readFileSync(join(SOURCE, file), 'utf8').matchAll(/\bcode: ([^,;{}]+)/g)) {
      for (const [, text = ''] of value.matchAll(/'([^']+)'/g)) if (CODE.test(text)) used.set(text, file);
    }
  }
  return used;
}

describe('AUDIT_CODES', () => {
  it('has every code that is used', () => {
    const used = usedCodes();
    expect(used.size).toBeGreaterThan(0);
    const missing = [...used].filter(([code]) => !Object.hasOwn(AUDIT_CODES, code));
    expect(missing).toEqual([]);
  });

  it.each(Object.entries(AUDIT_CODES))('%s is well-formed and has one line', (code, meaning) => {
    expect(code).toMatch(CODE);
    expect(meaning).toMatch(/^[A-Z][^\n|]+\.$/);
  });
});

import preset from '../jest.preset.mjs';

/** The slow suites, by file name: `sh tools/e2e.sh smoke`. */
export default { ...preset, displayName: 'e2e', testMatch: ['<rootDir>/src/**/*.e2e.ts'] };

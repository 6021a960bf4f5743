import { fileURLToPath } from 'node:url';

/** Node's own type stripping is the transform: a spec runs exactly as `node` would run the source. */
export default {
  testEnvironment: 'node',
  testEnvironmentOptions: {
    customExportConditions: ['@tagplane/source', 'node', 'node-addons'],
  },
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': fileURLToPath(new URL('./tools/strip-types.mjs', import.meta.url)) },
  testMatch: ['<rootDir>/src/**/*.spec.ts'],
  // A busy machine is slow: only a test that hangs waits for this.
  testTimeout: 120_000,
  coverageProvider: 'v8',
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/out-spec', '<rootDir>/out-tsc'],
};

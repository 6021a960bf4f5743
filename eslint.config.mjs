import nx from '@nx/eslint-plugin';
import * as jsonc from 'jsonc-eslint-parser';
import tseslint from 'typescript-eslint';

/** Layers: app → adapter, domain, base; adapter → domain, base; domain → domain, base; base → base. */
const layers = [
  { sourceTag: 'layer:base', onlyDependOnLibsWithTags: ['layer:base'] },
  {
    sourceTag: 'layer:domain',
    onlyDependOnLibsWithTags: ['layer:domain', 'layer:base'],
    bannedExternalImports: ['ioredis', '@aws-sdk/*', '@connectrpc/*', '@bufbuild/*'],
  },
  { sourceTag: 'layer:adapter', onlyDependOnLibsWithTags: ['layer:domain', 'layer:base'] },
  {
    sourceTag: 'layer:app',
    onlyDependOnLibsWithTags: ['layer:adapter', 'layer:domain', 'layer:base'],
  },
  {
    sourceTag: 'layer:tool',
    onlyDependOnLibsWithTags: ['layer:tool', 'layer:app', 'layer:adapter', 'layer:domain', 'layer:base'],
  },
  { sourceTag: 'layer:e2e', onlyDependOnLibsWithTags: ['*'] },
];

/** The services share libraries and never import each other. */
const scopes = ['auth', 'discovery', 'agent', 'operator', 'shared'].map((scope) => ({
  sourceTag: `scope:${scope}`,
  onlyDependOnLibsWithTags: scope === 'shared' ? ['scope:shared'] : [`scope:${scope}`, 'scope:shared'],
}));

export default tseslint.config(
  { ignores: ['**/dist', '**/out-spec', '**/out-tsc', '**/node_modules', '**/src/gen', '.nx', '.cache'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        { depConstraints: [...layers, ...scopes], enforceBuildableLibDependency: false },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      'max-lines': ['error', { max: 400 }],
      'no-console': 'error',
    },
  },
  {
    // Properties are often only reachable by their reflection in a test's expectation.
    files: ['**/*.spec.ts'],
    rules: { '@typescript-eslint/unbound-method': 'off' },
  },
  {
    files: ['**/package.json'],
    languageOptions: { parser: jsonc },
    plugins: { '@nx': nx },
    rules: {
      '@nx/dependency-checks': [
        'error',
        {
          // The simulator's helpers for its own specs are in no package.
          ignoredFiles: [
            ...['{projectRoot}/**/*.spec.ts', '{projectRoot}/jest.config.mjs'],
            'tools/ec2-simulator/src/testing/**',
          ],
          checkVersionMismatches: false,
          checkObsoleteDependencies: false,
        },
      ],
    },
  },
);

import js from '@eslint/js';
import prettier from 'eslint-config-prettier/flat';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import { importX } from 'eslint-plugin-import-x';
import globals from 'globals';
import tseslint from 'typescript-eslint';

/** Ground to roof: a folder may import from those before it and from itself, never from those after it. */
const LAYERS = [
  ['config', 'database', 'queue', 'signals', 'problems', 'wire', 'logging', 'metrics', 'limits', 'downloads'],
  ['tenancy'],
  ['states'],
  ['inventory', 'payments'],
  ['conflicts'],
  ['sync', 'export', 'admin'],
];

const zones = LAYERS.flatMap((layer, height) =>
  layer.map((folder) => ({
    target: `./src/${folder}`,
    from: LAYERS.slice(height + 1)
      .flat()
      .map((above) => `./src/${above}`),
    message: 'An import points down, or stays in its module.',
  })),
).filter((zone) => zone.from.length > 0);

export default tseslint.config(
  { ignores: ['**/dist/', 'coverage/', '.data/', 'client/src/openapi.ts'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    plugins: { 'import-x': importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    settings: { 'import-x/resolver-next': [createTypeScriptImportResolver()] },
    rules: {
      'import-x/no-cycle': 'error',
      'import-x/no-restricted-paths': ['error', { zones }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowNullish: true }],
      // Nest's modules are classes that only carry a decorator.
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      // `import type` would erase what Nest injects by; the compiler's isolatedModules tells the two apart.
      '@typescript-eslint/consistent-type-imports': 'off',
      '@typescript-eslint/dot-notation': ['error', { allowIndexSignaturePropertyAccess: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      'no-console': 'error',
      // `const { type, ...rest } = line` leaves something out.
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      // Wire and entity classes are shapes: `*.wire.ts` builds them field by field.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-misused-spread': 'off',
    },
  },
  {
    // The pure core: time, ids and the environment come in as arguments.
    files: ['src/**/domain/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: [
                '@nestjs/*',
                'typeorm',
                'bullmq',
                'class-validator',
                'class-transformer',
                'pg',
                'ioredis',
                '**/persistence/**',
                '**/*.dto.js',
                '**/*.wire.js',
                '**/*.service.js',
              ],
              message: 'domain/ is pure.',
            },
          ],
        },
      ],
      'no-restricted-globals': ['error', 'Date', 'process', 'setTimeout', 'fetch'],
    },
  },
  {
    files: ['src/**/*.controller.ts', 'src/**/*.worker.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['**/persistence/**', '**/tenant-database.js'],
              message: 'A controller or worker asks one service.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['src/**/persistence/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['**/*.dto.js', '**/*.wire.js', '**/*.service.js'],
              message: 'persistence/ knows rows and domain types.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['src/**/*.wire.ts', 'src/**/*.dto.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: ['**/persistence/**', '**/*.service.js', 'typeorm'], message: 'The wire knows domain types.' },
          ],
        },
      ],
    },
  },
  {
    // Commands for people: they talk on the terminal.
    files: ['tools/**/*.ts', 'bench/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // Answers of the service are looked into field by field; what is missing fails the expectation.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  { files: ['**/*.mjs'], languageOptions: { globals: globals.node } },
  prettier,
);

import 'reflect-metadata';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import openapiTypes, { astToString, type OpenAPI3, type SchemaObject } from 'openapi-typescript';
import pg from 'pg';
import { pino } from 'pino';
import { readEnvironment } from '../src/config/environment.js';
import { Settings } from '../src/config/settings.js';
import { EmbeddedPostgres } from '../src/database/embedded/embedded-postgres.js';
import { migrate } from '../src/database/migrate.js';
import { describeApi } from '../src/api-document.js';
import { createHttpServer } from '../src/http-server.js';
import { PROBLEMS, problemType } from '../src/problems/problem.js';
import { REJECTIONS, WARNING_MEANINGS } from '../src/sync/domain/push-outcome.js';
import { describeSchema } from './schema-description.js';

/** Of the sources; this file runs from dist/tools. */
const PROJECT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/**
 * `npm run generate`: writes what is derived from the code and checked in all the same, so that a review sees a change
 * of contract. With `--check` it writes nothing, and fails if a file is not what it would write.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  const stale: string[] = [];
  for (const [file, text] of Object.entries(await derive())) {
    const place = path.join(PROJECT, file);
    if (values.check ? readFileSync(place, 'utf8') !== text : false) stale.push(file);
    if (!values.check) writeFileSync(place, text);
  }
  if (stale.length === 0) return;
  process.stderr.write(`Not up to date: ${stale.join(', ')}. Run "npm run generate" and commit the result.\n`);
  process.exitCode = 1;
}

async function derive(): Promise<Record<string, string>> {
  const dataDir = mkdtempSync(path.join(os.tmpdir(), 'agrotour-generate-'));
  try {
    const postgres = await EmbeddedPostgres.start(dataDir);
    try {
      await migrate(postgres.ownerUrl);
      const openApi = await describe(postgres);
      return {
        'docs/openapi.json': openApi,
        'client/src/openapi.ts': await clientTypes(JSON.parse(openApi) as OpenAPI3),
        'docs/errors.md': errorDocs(),
        'test/schema.sql': await schema(postgres),
      };
    } finally {
      await postgres.stop();
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function describe(postgres: EmbeddedPostgres): Promise<string> {
  const environment = readEnvironment({ ROLE: 'api' });
  const settings = Settings.resolve(environment, {
    databaseUrl: postgres.appUrl,
    keptSecret: postgres.secrets.jwtSecret,
  });
  const app = await createHttpServer(settings, pino({ level: 'silent' }));
  try {
    return `${JSON.stringify(describeApi(app), undefined, 2)}\n`;
  } finally {
    await app.close();
  }
}

/** What the client's requests and answers are made of, and no more: it has no use for the rest of the API. */
const CLIENT_SCHEMAS = [
  ...['PushRequestDto', 'OperationDto', 'ProductEditDto', 'PaymentEditDto', 'PushResponseDto', 'PullRequestDto'],
  ...['PullResponseDto', 'SnapshotHeaderDto', 'SnapshotProductDto', 'SnapshotStockLevelDto', 'SnapshotPaymentDto'],
  ...['SnapshotEndDto', 'LiveEventDto', 'ProblemDto'],
];

async function clientTypes(document: OpenAPI3): Promise<string> {
  const all = document.components?.schemas ?? {};
  const wanted: Record<string, SchemaObject> = {};
  const want = (name: string): void => {
    const schema = all[name];
    if (schema === undefined) throw new Error(`The API document has no ${name}.`);
    if (name in wanted) return;
    wanted[name] = schema;
    for (const [, other] of JSON.stringify(schema).matchAll(/"#\/components\/schemas\/(\w+)"/g)) want(other ?? '');
  };
  CLIENT_SCHEMAS.forEach(want);
  const types = await openapiTypes({ ...document, paths: {}, components: { schemas: wanted } });
  return `/** Generated from docs/openapi.json by \`npm run generate\`. */\n${astToString(types)}`;
}

async function schema(postgres: EmbeddedPostgres): Promise<string> {
  const client = new pg.Client(postgres.ownerUrl);
  await client.connect();
  try {
    return await describeSchema(client, 'public');
  } finally {
    await client.end();
  }
}

function errorDocs(): string {
  const problems = Object.entries(PROBLEMS).map(
    ([code, { status, meaning }]) => `| \`${code}\` | ${status} | ${meaning} |`,
  );
  const table = (meanings: Readonly<Record<string, string>>): string =>
    Object.entries(meanings)
      .map(([code, meaning]) => `| \`${code}\` | ${meaning} |`)
      .join('\n');
  return `# Errors

Generated from the code by \`npm run generate\`; a released code keeps its meaning.

## Problems: the request as a whole is refused

The body is \`application/problem+json\` (RFC 9457): \`type\` (such as \`${problemType('VALIDATION')}\`), \`title\`, \`status\`, \`code\`,
\`instance\` (the id of the request, as in the log and in the header \`x-request-id\`), often \`detail\`, and \`errors\` with \`path\`,
\`code\` and \`message\` of each field that is wrong. Nothing was recorded.

| code | status | meaning |
| --- | --- | --- |
${problems.join('\n')}

## Rejections: one entry of a push is refused

The push is answered 200, and the entry's result has \`status: "rejected"\` and one of these codes. The device keeps the entry.
Where several apply, the one that stands first here is answered.

| code | meaning |
| --- | --- |
${table(REJECTIONS)}

## Warnings: the entry was accepted, and a person should know

| code | meaning |
| --- | --- |
${table(WARNING_MEANINGS)}
`;
}

await main();

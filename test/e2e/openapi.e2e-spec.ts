import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OpenAPIObject } from '@nestjs/swagger';
import { PROBLEMS, type ProblemCode, problemType } from '../../src/problems/problem.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { request, type RunningService, startService } from '../support/service.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
type Schema = Record<string, unknown>;

describe('the API document', () => {
  let database: TestDatabase;
  let service: RunningService;
  let document: OpenAPIObject;
  let operations: { route: string; operation: Operation }[];

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService({ DATABASE_URL: database.appUrl });
    document = (await request(`${service.url}/openapi.json`)).body as OpenAPIObject;
    operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        route: `${method.toUpperCase()} ${path}`,
        operation: operation as Operation,
      })),
    );
  });
  afterAll(async () => {
    await service.stop();
    await database.drop();
  });

  /** Routes of which `holds` is not true. */
  const except = (holds: (operation: Operation, route: string) => boolean): string[] =>
    operations.filter(({ operation, route }) => !holds(operation, route)).map(({ route }) => route);
  const isProtected = (operation: Operation): boolean => (operation.security ?? []).length > 0;
  const responses = (operation: Operation): [status: number, response: Schema][] =>
    Object.entries(operation.responses).map(([status, response]) => [Number(status), response as unknown as Schema]);

  it('is served with the pages that show it', async () => {
    expect(document.openapi).toMatch(/^3\./);
    expect(operations.length).toBeGreaterThan(10);
    const page = await request(`${service.url}/docs`);
    expect(page).toMatchObject({ status: 200 });
    expect(page.headers.get('content-type')).toContain('text/html');
  });

  it('sums up each route', () => {
    expect(except((operation) => (operation.summary ?? '').length > 10)).toEqual([]);
    expect(except((operation) => (operation.tags ?? []).length === 1)).toEqual([]);
  });

  it('shows what each route answers when all is well', () => {
    const isShown = ([status, response]: [number, Schema]): boolean => {
      if (status === 204) return true;
      const contents = response['content'] as Record<string, Schema> | undefined;
      // Streams have types of their own.
      const content =
        contents?.['application/json'] ??
        contents?.['application/x-ndjson'] ??
        contents?.['text/event-stream'] ??
        contents?.['text/plain'];
      const schema = content?.['schema'] as Schema | undefined;
      return schema !== undefined && ('$ref' in schema || 'example' in schema || 'example' in (content ?? {}));
    };
    const good = (operation: Operation): [number, Schema][] => responses(operation).filter(([status]) => status < 300);
    expect(except((operation) => good(operation).length === 1 && good(operation).every(isShown))).toEqual([]);
  });

  it('has an example for every body that a route takes', () => {
    const bodies = operations.flatMap(({ operation }) => {
      const content = (
        operation.requestBody as { content?: Record<string, { schema?: { $ref?: string } }> } | undefined
      )?.content;
      return content ? [content['application/json']?.schema?.$ref ?? ''] : [];
    });
    expect(bodies.length).toBeGreaterThanOrEqual(4);
    for (const reference of bodies) {
      const schema = document.components?.schemas?.[reference.replace('#/components/schemas/', '')] as {
        required?: string[];
        properties: Record<string, Schema>;
      };
      const bare = (schema.required ?? []).filter((name) => !('example' in (schema.properties[name] ?? {})));
      expect({ reference, bare }).toEqual({ reference, bare: [] });
    }
  });

  it('says that a token is needed, and what happens without, exactly where it is', () => {
    const open = except(isProtected);
    expect(open.sort()).toEqual(['GET /', 'GET /health/live', 'GET /health/ready', 'GET /metrics']);
    expect(
      except((operation, route) => open.includes(route) || ['401', '403'].every((s) => s in operation.responses)),
    ).toEqual([]);
    expect(document.components?.securitySchemes).toMatchObject({ bearer: { type: 'http', scheme: 'bearer' } });
  });

  it('knows every problem it names, under the right status', () => {
    const named = new Set<ProblemCode>();
    for (const { route, operation } of operations) {
      for (const [status, response] of responses(operation)) {
        if (status < 400) continue;
        const content = response['content'] as Record<string, { examples?: Record<string, { value: Schema }> }>;
        expect({ route, status, types: Object.keys(content) }).toEqual({
          route,
          status,
          types: ['application/problem+json'],
        });
        const examples = Object.entries(content['application/problem+json']?.examples ?? {});
        expect(examples.length).toBeGreaterThan(0);
        for (const [code, { value }] of examples) {
          expect(Object.keys(PROBLEMS)).toContain(code);
          const known = code as ProblemCode;
          expect(value).toMatchObject({ code, status, type: problemType(known), title: PROBLEMS[known].title });
          expect(PROBLEMS[known].status).toBe(status);
          named.add(known);
        }
      }
    }
    // These are no route's own: they answer what belongs to none, or breaks HTTP.
    const unnamed = Object.keys(PROBLEMS).filter((code) => !named.has(code as ProblemCode));
    expect(
      unnamed.filter(
        (code) => !['BAD_REQUEST', 'TENANT_EXISTS', 'REQUEST_TIMEOUT', 'HEADERS_TOO_LARGE'].includes(code),
      ),
    ).toEqual([]);
  });

  it('refers to nothing that is not in it', () => {
    const references = JSON.stringify(document).match(/"#\/components\/schemas\/\w+"/g) ?? [];
    expect(references.length).toBeGreaterThan(0);
    const missing = references
      .map((reference) => reference.slice(1, -1).replace('#/components/schemas/', ''))
      .filter((name) => !(name in (document.components?.schemas ?? {})));
    expect(missing).toEqual([]);
  });
});

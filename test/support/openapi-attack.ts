import { randomBytes, randomUUID } from 'node:crypto';
import { type Role, ROLES } from '../../src/tenancy/domain/principal.js';
import { type Answer, request } from './service.js';

/** What is used of a JSON Schema of the document. */
export interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly type?: string;
  readonly format?: string;
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly nullable?: boolean;
  readonly example?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly schema: Schema;
}

interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
  readonly 'x-roles'?: readonly string[];
}

export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** A route as the API document has it. */
export interface Route {
  /** Method and path, such as `GET /payments/{id}`. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  /** Empty if none is declared. */
  readonly roles: readonly (Role | 'everyone')[];
  readonly parameters: readonly Parameter[];
  /** Without references; undefined if it takes no body. */
  readonly body: Schema | undefined;
  readonly statuses: readonly number[];
  /** Whether it sends until one of the two goes. */
  readonly isEndless: boolean;
}

/** All routes; those that delete come last, so that the others find something. */
export function routesOf(document: ApiDocument): Route[] {
  const routes = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([verb, operation]): Route => {
      const method = verb.toUpperCase();
      const body = operation.requestBody?.content['application/json']?.schema;
      return {
        ...{ name: `${method} ${path}`, method, path, parameters: operation.parameters ?? [] },
        roles: (operation['x-roles'] ?? []).filter((role) => role === 'everyone' || isRole(role)),
        body: body && resolved(document, body),
        statuses: Object.keys(operation.responses).map(Number),
        isEndless: 'text/event-stream' in (operation.responses['200']?.content ?? {}),
      };
    }),
  );
  return routes.sort((a, b) => Number(a.method === 'DELETE') - Number(b.method === 'DELETE'));
}

function isRole(name: string): name is Role {
  return (ROLES as readonly string[]).includes(name);
}

function resolved(document: ApiDocument, schema: Schema): Schema {
  const named = schema.$ref ?? schema.allOf?.[0]?.$ref;
  if (named !== undefined) {
    const target = document.components.schemas[named.replace('#/components/schemas/', '')];
    if (!target) throw new Error(`The document has no ${named}`);
    return resolved(document, target);
  }
  return {
    ...schema,
    ...(schema.items && { items: resolved(document, schema.items) }),
    ...(schema.properties && {
      properties: Object.fromEntries(
        Object.entries(schema.properties).map(([name, property]) => [name, resolved(document, property)]),
      ),
    }),
  };
}

/** Steps from a body to one of its fields. */
export type Path = readonly (string | number)[];

/** Where a request says which row it means: in its path, its query or its body. */
export type IdField =
  { readonly in: 'path' | 'query'; readonly name: string } | { readonly in: 'body'; readonly path: Path };

/** Every field of the route that holds a UUID, but for the tenant's, which the guards look at. */
export function idFields({ parameters, body }: Route): IdField[] {
  const isId = ({ format }: Schema): boolean => format === 'uuid';
  return [
    ...parameters
      .filter((parameter) => parameter.in !== 'header' && isId(parameter.schema) && parameter.name !== 'tenant_id')
      .map(({ in: place, name }): IdField => ({ in: place === 'path' ? 'path' : 'query', name })),
    ...(body ? fieldsOf(body) : [])
      .filter(([path, schema]) => isId(schema) && path.join() !== 'tenant_id')
      .map(([path]): IdField => ({ in: 'body', path })),
  ];
}

/** Every field below the schema; of lists, those of the first entry. */
export function fieldsOf(schema: Schema, path: Path = []): [Path, Schema][] {
  return [
    [path, schema],
    ...(schema.items ? fieldsOf(schema.items, [...path, 0]) : []),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, property]) => fieldsOf(property, [...path, name])),
  ];
}

/** What fills the fields of a request that nobody attacks. */
export interface Caller {
  readonly token: string | undefined;
  readonly tenantId: string;
  readonly deviceId: string;
}

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly token: string | undefined;
}

/** A request that is right but for what it says where: with the document's examples, and ids that nobody has. */
export function callOf(route: Route, caller: Caller, ids: readonly (readonly [IdField, string])[] = []): Call {
  const inPath = new Map<string, string>();
  const query: Record<string, string> = {};
  let body = route.body && exampleOf(route.body, '', caller);
  for (const [field, id] of ids) {
    if (field.in === 'body') body = replaced(body, field.path, id);
    else if (field.in === 'path') inPath.set(field.name, id);
    else query[field.name] = id;
  }
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => inPath.get(name) ?? randomUUID());
  return { method: route.method, path, query, headers: {}, body, token: caller.token };
}

/** @param name of the field that has the schema */
export function exampleOf(schema: Schema, name: string, caller: Caller): unknown {
  if (schema.items) return [exampleOf(schema.items, name, caller)];
  if (schema.properties) {
    const entries = Object.entries(schema.properties).map(([key, property]): [string, unknown] => [
      key,
      exampleOf(property, key, caller),
    ]);
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  }
  if (schema.example === null) return null;
  if (schema.format === 'uuid') {
    if (name === 'tenant_id') return caller.tenantId;
    return name === 'device_id' ? caller.deviceId : randomUUID();
  }
  const isText =
    schema.type === 'string' && !schema.enum && schema.format === undefined && schema.pattern === undefined;
  // Another one each time: what is unique is free.
  if (isText) return `${name} ${randomBytes(4).toString('hex')}`;
  return schema.example;
}

/** A copy of the body with another value at the path. */
export function replaced(body: unknown, path: Path, value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (Array.isArray(body)) return body.map((held: unknown, at) => (at === step ? replaced(held, rest, value) : held));
  const fields = (body ?? {}) as Record<string, unknown>;
  return { ...fields, [step]: replaced(fields[step], rest, value) };
}

/** Of an endless answer, its beginning. */
const BEGINNING_MS = 60;

export async function send(url: string, route: Route, call: Call): Promise<Answer> {
  const query = new URLSearchParams(call.query).toString();
  const address = `${url}${call.path}${query === '' ? '' : `?${query}`}`;
  const { method, headers, body, token } = call;
  if (!route.isEndless) return request(address, { method, headers, body, ...(token !== undefined && { token }) });
  const leaving = new AbortController();
  const response = await fetch(address, {
    headers: { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    signal: leaving.signal,
  });
  const answer = { status: response.status, headers: response.headers };
  if (response.status !== 200) return { ...answer, body: await response.json() };
  let text = '';
  const timer = setTimeout(() => {
    leaving.abort();
  }, BEGINNING_MS);
  try {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk as Uint8Array).toString();
  } catch {
    // We have left.
  } finally {
    clearTimeout(timer);
  }
  return { ...answer, body: text };
}

/** All that an answer says, its headers too. */
export function textOf({ headers, body }: Answer): string {
  const named = [...headers].map((header) => header.join(': ')).join('\n');
  return `${named}\n${typeof body === 'string' ? body : JSON.stringify(body)}`;
}

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi;

/** What remains of an answer when ids, clocks and what the request itself said are left out of it. */
export function meaningOf({ status, headers, body }: Answer, call: Call): string {
  const sent = fieldsSent(call.body).sort((a, b) => b.length - a.length);
  const text = JSON.stringify(
    { status, headers: [...headers.keys()], body: body as unknown },
    (key, value: unknown) => {
      if (/lamport|_ms$|^(?:token|epoch)$/.test(key)) return '…';
      return typeof value === 'string' && key === 'message' ? value.replaceAll(/\d+/g, '…') : value;
    },
  );
  return sent
    .reduce((told, value) => told.replaceAll(value, '…'), text)
    .replaceAll(UUID, '…')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '…');
}

/** Texts of a body that are long enough to be its own. */
function fieldsSent(body: unknown): string[] {
  if (typeof body === 'string') return body.length > 8 ? [body] : [];
  return typeof body === 'object' && body !== null ? Object.values(body).flatMap(fieldsSent) : [];
}

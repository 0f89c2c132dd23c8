import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { SERVICE_VERSION } from './config/settings.js';

const DOCS_PATH = '/docs';
const DOCUMENT_PATH = '/openapi.json';

/** The OpenAPI document of the service; docs/openapi.json is a copy of it. */
export function describeApi(app: NestFastifyApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Agrotour Sync Engine')
    .setDescription(
      'Offline-first inventory sync. A device records stock movements while it is offline, pushes them when it can, and pulls ' +
        'what others did. To try it: choose **Authorize**, paste a token that `npm start` printed (a device token for push), and ' +
        'run the examples as they stand. Bodies may be packed (`Content-Encoding: gzip`). Errors are ' +
        '`application/problem+json` (RFC 9457) with a stable `code`.',
    )
    .setVersion(SERVICE_VERSION)
    .addBearerAuth()
    .build();
  return SwaggerModule.createDocument(app, config, {
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '').toLowerCase()}_${method}`,
  });
}

/** Swagger UI, and the document it shows. Both are open to all, so the document is written once and not for each who asks. */
export function addApiDocument(server: FastifyInstance, app: NestFastifyApplication): void {
  const describe = (): OpenAPIObject => describeApi(app);
  SwaggerModule.setup(DOCS_PATH, app, describe, {
    raw: false,
    customSiteTitle: 'Agrotour Sync Engine',
    swaggerOptions: { persistAuthorization: true, displayRequestDuration: true, tryItOutEnabled: true },
  });
  let document: Buffer | undefined;
  server.get(DOCUMENT_PATH, (_request, reply) => {
    document ??= Buffer.from(JSON.stringify(describe()));
    return reply.type('application/json; charset=utf-8').send(document);
  });
}

export function isDocument(route: string): boolean {
  return route === DOCUMENT_PATH || route === DOCS_PATH || route.startsWith(`${DOCS_PATH}/`);
}

import { applyDecorators, Controller, Get, Param, Res, type StreamableFile } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiOperation, ApiParam, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Downloads } from '../downloads/downloads.js';
import { ApiProblem } from '../problems/api-problem.decorator.js';
import { CurrentActor } from '../tenancy/audit/current-actor.js';
import type { Acting } from '../tenancy/audit/domain/actor.js';
import type { OperatorPrincipal, PersonPrincipal } from '../tenancy/domain/principal.js';
import { Roles } from '../tenancy/guards/access.decorators.js';
import { DEMO_TENANT_ID } from '../wire/examples.js';
import type { LineFormat } from '../wire/line-format.js';
import { UuidPipe } from '../wire/uuid.pipe.js';
import type { ExportPart } from './domain/export-part.js';
import { EXPORT_LINES } from './export.dto.js';
import { ExportService } from './export.service.js';
import { toExportText } from './export.wire.js';

const LINES =
  'NDJSON, a JSON object a line: first the `header`, then the `tenant` and a line for each `device`, `product` (deleted ones ' +
  'as tombstones), `payment`, `version` of the two, `event` in lamport order, `stock_level`, `conflict` and `audit` entry, last ' +
  'the `end` with their numbers. All of it is as it was at one instant. An export without the `end` line was cut: ask for it ' +
  'again. Send `Accept-Encoding: gzip` for a file of a quarter of the size.';

/** Of a business that has done nothing yet. */
const EXAMPLE = `{"type":"header","format_version":1,"tenant_id":"${DEMO_TENANT_ID}","lamport":0,"epoch":"6a3f0e1c-33a5-4f0e-8d55-9d3f6f1c7f55","chain_hash":"0000…","exported_at":"2026-03-01T18:04:11.218Z"}
{"type":"tenant","id":"${DEMO_TENANT_ID}","name":"Quesos La Vega","status":"ACTIVE","settings":{"conflict_detection":"CONTENTION","heuristic_threshold":0.8},"created_at":"2026-03-01T09:30:00.000Z"}
{"type":"end","counts":{"tenant":1,"device":0,"product":0,"payment":0,"version":0,"event":0,"stock_level":0,"conflict":0,"audit":0}}
`;

const ApiExport = (): MethodDecorator =>
  applyDecorators(
    ApiExtraModels(...EXPORT_LINES),
    ApiOkResponse({
      description: 'The lines; `type` says what each is.',
      content: {
        'application/x-ndjson': {
          schema: { oneOf: EXPORT_LINES.map((line) => ({ $ref: getSchemaPath(line) })) },
          example: EXAMPLE,
        },
      },
    }),
    ApiProblem('TOO_MANY_STREAMS'),
  );

/** Above all modules, since it hands out what all of them keep. */
@ApiTags('export')
@Controller()
export class ExportController {
  constructor(
    private readonly exports: ExportService,
    private readonly downloads: Downloads,
  ) {}

  @Get('export')
  @Roles('admin')
  @ApiOperation({ summary: 'All data of the business', description: `${LINES} Ends when the business is suspended.` })
  @ApiExport()
  exportOwn(
    @CurrentActor() admin: Acting<PersonPrincipal>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    const { tenantId } = admin;
    return this.downloads.send(reply, exportFile(tenantId), tenantId, (receiver) =>
      this.exports.send(admin, tenantId, receiver),
    );
  }

  @Get('tenants/:id/export')
  @Roles('operator')
  @ApiOperation({
    summary: 'All data of a tenant, to hand them over',
    description:
      `${LINES}\n\nThe one way by which an operator gets at data of a business, all of them or none. It also works while the ` +
      'tenant is suspended, and the business finds it in its audit log.',
  })
  @ApiParam({ name: 'id', format: 'uuid', example: DEMO_TENANT_ID })
  @ApiExport()
  @ApiProblem('VALIDATION', 'NOT_FOUND', 'TENANT_DELETED')
  exportTenant(
    @CurrentActor() operator: Acting<OperatorPrincipal>,
    @Param('id', UuidPipe) id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    return this.downloads.send(reply, exportFile(id), operator.userId, (receiver) =>
      this.exports.send(operator, id, receiver),
    );
  }
}

function exportFile(tenantId: string): LineFormat<ExportPart> {
  const today = new Date().toISOString().slice(0, 10);
  return { type: 'application/x-ndjson', fileName: `tenant-${tenantId}-${today}.ndjson`, text: toExportText };
}

import { Controller, Get, Query, Res, type StreamableFile } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiOperation, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Downloads } from '../../downloads/downloads.js';
import { ApiProblem } from '../../problems/api-problem.decorator.js';
import type { TenantPrincipal } from '../../tenancy/domain/principal.js';
import { CurrentPrincipal, Roles } from '../../tenancy/guards/access.decorators.js';
import { DEMO_PRODUCT_ID, DEMO_TENANT_ID } from '../../wire/examples.js';
import { assertProtocolVersion, PROTOCOL_VERSION } from '../protocol.js';
import { SNAPSHOT_LINES, SnapshotQueryDto } from './snapshot.dto.js';
import { SnapshotService } from './snapshot.service.js';
import { toSnapshotText } from './snapshot.wire.js';

/** Of a tenant whose only product nobody has named yet. */
const EXAMPLE = `{"type":"header","lamport":43,"epoch":"6a3f0e1c-33a5-4f0e-8d55-9d3f6f1c7f55","chain_hash":"41be…","protocol_version":1,"tenant_id":"${DEMO_TENANT_ID}","timestamp":"2026-03-01T18:04:11.218Z"}
{"type":"stock_level","product_id":"${DEMO_PRODUCT_ID}","quantity":7,"tracked":true,"last_lamport":43}
{"type":"end","products":0,"stock_levels":1,"payments":0}
`;

@ApiTags('sync')
@Controller('sync')
export class SnapshotController {
  constructor(
    private readonly snapshots: SnapshotService,
    private readonly downloads: Downloads,
  ) {}

  @Get('snapshot')
  @Roles('device', 'staff', 'admin')
  @ApiOperation({
    summary: 'Receive all there is, as a new or wiped device',
    description:
      'NDJSON, a JSON object a line: first the `header`, then a line for each `product`, each `stock_level` and each open ' +
      '`payment` (nobody has reconciled it yet), in no particular order within a type, last the `end` with their numbers. ' +
      'All of it is as it was at the header’s `lamport`: go on with pull from there. Without the `end` line the stream was ' +
      'cut: drop what came, and start again.\n\n' +
      'Deleted products are left out: who starts with nothing needs no tombstones. A device that keeps what it has pulls ' +
      'instead.\n\n' +
      'A client may take as long as its token is valid and something arrives now and then; a device that is revoked meanwhile is ' +
      'cut off. Send `Accept-Encoding: gzip` on a slow link: it is a quarter as long.',
  })
  @ApiExtraModels(...SNAPSHOT_LINES)
  @ApiOkResponse({
    description: 'The lines; `type` says what each is.',
    content: {
      'application/x-ndjson': {
        schema: { oneOf: SNAPSHOT_LINES.map((line) => ({ $ref: getSchemaPath(line) })) },
        example: EXAMPLE,
      },
    },
  })
  @ApiProblem('UPGRADE_REQUIRED', 'TOO_MANY_STREAMS')
  async snapshot(
    @CurrentPrincipal() principal: TenantPrincipal,
    @Query() query: SnapshotQueryDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    assertProtocolVersion(query.protocol_version ?? PROTOCOL_VERSION);
    const lines = { type: 'application/x-ndjson', text: toSnapshotText };
    return this.downloads.send(reply, lines, principal.tenantId, (receiver) =>
      this.snapshots.send(principal, receiver),
    );
  }
}

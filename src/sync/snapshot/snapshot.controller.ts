import { Controller, Get, Query, Res, type StreamableFile } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiOperation, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ApiProblem } from '../../problems/api-problem.decorator.js';
import type { TenantPrincipal } from '../../tenancy/domain/principal.js';
import { CurrentPrincipal, Roles } from '../../tenancy/guards/access.decorators.js';
import { assertProtocolVersion, PROTOCOL_VERSION } from '../protocol.js';
import { streamLines } from './line-stream.js';
import { SNAPSHOT_LINES, SnapshotQueryDto } from './snapshot.dto.js';
import { SnapshotService } from './snapshot.service.js';
import { toSnapshotText } from './snapshot.wire.js';

@ApiTags('sync')
@Controller('sync')
export class SnapshotController {
  constructor(private readonly snapshots: SnapshotService) {}

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
      'The server sends as fast as the client reads. A client that takes nothing for 8 seconds is cut off, and so is a ' +
      'device that is revoked meanwhile. Send `Accept-Encoding: gzip` on a slow link: it is a quarter as long.',
  })
  @ApiExtraModels(...SNAPSHOT_LINES)
  @ApiOkResponse({
    description: 'The lines; `type` says what each is.',
    content: {
      'application/x-ndjson': {
        schema: { oneOf: SNAPSHOT_LINES.map((line) => ({ $ref: getSchemaPath(line) })) },
        example:
          '{"type":"header","lamport":43,…}\n{"type":"product","id":"…",…}\n{"type":"end","products":1,"stock_levels":0,"payments":0}\n',
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
    return streamLines(reply, (writer) =>
      this.snapshots.send(principal, {
        receive: (part) => writer.write(toSnapshotText(part)),
        cutOff: (reason) => {
          writer.cutOff(reason);
        },
      }),
    );
  }
}

import { Body, Controller, HttpCode, Param, Post, UseGuards } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { ApiProblem } from '../../problems/api-problem.decorator.js';
import { CurrentActor } from '../../tenancy/audit/current-actor.js';
import type { Acting } from '../../tenancy/audit/domain/actor.js';
import type { PersonPrincipal } from '../../tenancy/domain/principal.js';
import { Roles } from '../../tenancy/guards/access.decorators.js';
import { DEMO_DEVICE_ID } from '../../wire/examples.js';
import { UuidPipe } from '../../wire/uuid.pipe.js';
import { ProtocolGuard } from '../protocol.guard.js';
import { PushRequestDto, PushResponseDto } from '../push/push.dto.js';
import { toImportCommand, toPushResponse } from '../push/push.wire.js';
import { OutboxService } from './outbox.service.js';

@ApiTags('devices')
@Controller('devices')
@UseGuards(ProtocolGuard)
export class OutboxController {
  constructor(private readonly outboxes: OutboxService) {}

  @Post(':id/outbox')
  @HttpCode(200)
  @Roles('admin')
  @ApiOperation({
    summary: 'Import what a device could not push itself',
    description:
      'Takes the outbox that a device has exported, as the device would push it, and answers as a push does. For a device ' +
      'that was revoked, or that is broken: what it recorded is valid all the same. What it had pushed before is answered ' +
      '`duplicate`, so the same file may be imported again. `sent_at` is ignored: it says when the file was written.',
  })
  @ApiParam({ name: 'id', format: 'uuid', description: 'Of the device that recorded it.', example: DEMO_DEVICE_ID })
  @ApiOkResponse({ type: PushResponseDto })
  @ApiProblem(
    'NOT_FOUND',
    'MALFORMED_JSON',
    'DEVICE_MISMATCH',
    'PAYLOAD_TOO_LARGE',
    'UNSUPPORTED_MEDIA_TYPE',
    'UPGRADE_REQUIRED',
  )
  async import(
    @CurrentActor() admin: Acting<PersonPrincipal>,
    @Param('id', UuidPipe) id: string,
    @Body() body: PushRequestDto,
  ): Promise<PushResponseDto> {
    return toPushResponse(body, await this.outboxes.import(admin, toImportCommand(admin.tenantId, id, body)));
  }
}

import { Body, Controller, HttpCode, Post, UseGuards } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiProblem } from '../../problems/api-problem.decorator.js';
import type { DevicePrincipal } from '../../tenancy/domain/principal.js';
import { AsksAgain, CurrentPrincipal, Roles } from '../../tenancy/guards/access.decorators.js';
import { ProtocolGuard } from '../protocol.guard.js';
import { PushRequestDto, PushResponseDto } from './push.dto.js';
import { PushService } from './push.service.js';
import { toPushCommand, toPushResponse } from './push.wire.js';

@ApiTags('sync')
@Controller('sync')
@UseGuards(ProtocolGuard)
export class PushController {
  constructor(private readonly pushes: PushService) {}

  @Post('push')
  @HttpCode(200)
  @Roles('device')
  @AsksAgain()
  @ApiOperation({
    summary: 'Record what a device did while it was offline',
    description:
      'Answers 200 with one result for each entry. A bad entry is rejected on its own; all accepted entries are recorded ' +
      'in one transaction. Pushing the same again answers `duplicate` and changes nothing, so a device that got no answer just repeats.',
  })
  @ApiOkResponse({ type: PushResponseDto })
  @ApiProblem(
    'VALIDATION',
    'MALFORMED_JSON',
    'DEVICE_MISMATCH',
    'PAYLOAD_TOO_LARGE',
    'UNSUPPORTED_MEDIA_TYPE',
    'UPGRADE_REQUIRED',
  )
  async push(@CurrentPrincipal() device: DevicePrincipal, @Body() body: PushRequestDto): Promise<PushResponseDto> {
    return toPushResponse(body, await this.pushes.push(device, toPushCommand(device, body)));
  }
}

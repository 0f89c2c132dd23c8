import { Body, Controller, Header, HttpCode, Post, UseGuards } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiProblem } from '../../problems/api-problem.decorator.js';
import type { TenantPrincipal } from '../../tenancy/domain/principal.js';
import { CurrentPrincipal, Roles } from '../../tenancy/guards/access.decorators.js';
import { ProtocolGuard } from '../protocol.guard.js';
import { PULL_LIMIT_DEFAULT, PullRequestDto, PullResponseDto } from './pull.dto.js';
import { PullService } from './pull.service.js';
import { toPullResponse } from './pull.wire.js';

@ApiTags('sync')
@Controller('sync')
@UseGuards(ProtocolGuard)
export class PullController {
  constructor(private readonly pulls: PullService) {}

  @Post('pull')
  @HttpCode(200)
  @Header('content-type', 'application/json; charset=utf-8')
  @Roles('device', 'staff', 'admin')
  @ApiOperation({
    summary: 'Receive what happened since',
    description:
      'Operations, products, payments and conflicts after `last_lamport`, in the one order of their lamports. Go on from ' +
      '`next_lamport` while `has_more`. The stock of a product is the running sum of `effect`. A cursor beyond the head is set back to it. ' +
      'Where `epoch` is another than before, the database was restored: take the log from 0 or the snapshot, and push again ' +
      'the operations that it lacks, by their ids.',
  })
  @ApiOkResponse({ type: PullResponseDto })
  @ApiProblem('MALFORMED_JSON', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE', 'UPGRADE_REQUIRED')
  async pull(@CurrentPrincipal() principal: TenantPrincipal, @Body() body: PullRequestDto): Promise<Uint8Array> {
    return toPullResponse(await this.pulls.pull(principal, body.last_lamport, body.limit ?? PULL_LIMIT_DEFAULT));
  }
}

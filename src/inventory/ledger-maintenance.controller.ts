import { Controller, HttpCode, Post, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiProblem } from '../problems/api-problem.decorator.js';
import { CurrentActor } from '../tenancy/audit/current-actor.js';
import type { Acting } from '../tenancy/audit/domain/actor.js';
import type { PersonPrincipal, TenantPrincipal } from '../tenancy/domain/principal.js';
import { CurrentPrincipal, Roles } from '../tenancy/guards/access.decorators.js';
import { RebuildDto, VerificationDto } from './ledger-maintenance.dto.js';
import { toVerificationStream } from './ledger-maintenance.wire.js';
import { RebuildService } from './rebuild.service.js';
import { VerificationService } from './verification.service.js';

/** Looks whether the ledger is right, and mends what can be mended. */
@ApiTags('inventory')
@Controller('inventory')
export class LedgerMaintenanceController {
  constructor(
    private readonly verifications: VerificationService,
    private readonly rebuilds: RebuildService,
  ) {}

  @Post('verify')
  @HttpCode(200)
  @Roles('admin')
  @ApiOperation({
    summary: 'Verify the ledger',
    description:
      'Recomputes the hashes, the chain, the effects and the balances of all events, the stock levels and the clock, as they ' +
      'are at one instant, and names each difference. Nothing waits for it. The answer is written while the log is read; one ' +
      'that breaks off is no answer.',
  })
  @ApiOkResponse({ type: VerificationDto })
  @ApiProblem('TOO_MANY_STREAMS')
  async verify(@CurrentPrincipal() principal: TenantPrincipal): Promise<StreamableFile> {
    const stream = await toVerificationStream((tell) => this.verifications.verify(principal.tenantId, tell));
    return new StreamableFile(stream, { type: 'application/json; charset=utf-8' });
  }

  @Post('rebuild')
  @HttpCode(200)
  @Roles('admin')
  @ApiOperation({
    summary: 'Rebuild the stock levels from the log',
    description:
      'Sets every stock level to the sum of the effects of its events. Pushes and pulls go on meanwhile, and nobody sees a ' +
      'level that is half done. Events are not changed.',
  })
  @ApiOkResponse({ type: RebuildDto })
  @ApiProblem('TOO_MANY_STREAMS')
  rebuild(@CurrentActor() admin: Acting<PersonPrincipal>): Promise<RebuildDto> {
    return this.rebuilds.rebuild(admin);
  }
}

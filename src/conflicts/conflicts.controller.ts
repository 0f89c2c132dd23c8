import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { ApiProblem } from '../problems/api-problem.decorator.js';
import type { TenantPrincipal } from '../tenancy/domain/principal.js';
import { CurrentPrincipal, Roles } from '../tenancy/guards/access.decorators.js';
import { UuidPipe } from '../wire/uuid.pipe.js';
import { ConflictDto, ConflictListDto, ConflictQueryDto } from './conflict.dto.js';
import { toConflictListWire, toConflictWire } from './conflict.wire.js';
import { ConflictsService } from './conflicts.service.js';

@ApiTags('conflicts')
@Controller('sync/conflicts')
export class ConflictsController {
  constructor(private readonly conflicts: ConflictsService) {}

  @Get()
  @Roles('device', 'staff', 'admin')
  @ApiOperation({
    summary: 'The conflict log',
    description: 'Entries that competed, both sides in full, and how it was settled. The newest first, in pages.',
  })
  @ApiOkResponse({ type: ConflictListDto })
  async list(
    @CurrentPrincipal() principal: TenantPrincipal,
    @Query() { status, kind, product_id: productId, cursor, limit }: ConflictQueryDto,
  ): Promise<ConflictListDto> {
    const filter = {
      ...(status != null && { status }),
      ...(kind != null && { kind }),
      ...(productId != null && { productId: productId.toLowerCase() }),
    };
    return toConflictListWire(await this.conflicts.list(principal.tenantId, filter, cursor ?? null, limit ?? 100));
  }

  @Get(':id')
  @Roles('device', 'staff', 'admin')
  @ApiOperation({ summary: 'One entry of the conflict log' })
  @ApiParam({ name: 'id', format: 'uuid', description: 'As the log or a push names it.' })
  @ApiOkResponse({ type: ConflictDto })
  @ApiProblem('NOT_FOUND')
  async get(@CurrentPrincipal() principal: TenantPrincipal, @Param('id', UuidPipe) id: string): Promise<ConflictDto> {
    return toConflictWire(await this.conflicts.get(principal.tenantId, id));
  }
}

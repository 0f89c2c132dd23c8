import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { ApiProblem } from '../problems/api-problem.decorator.js';
import { ProblemError } from '../problems/problem.js';
import { CurrentPrincipal, Roles } from '../tenancy/guards/access.decorators.js';
import type { TenantPrincipal } from '../tenancy/domain/principal.js';
import { DEMO_PRODUCT_ID } from '../wire/examples.js';
import { UuidPipe } from '../wire/uuid.pipe.js';
import { ProductEventsDto, ProductEventsQueryDto, StockDto, StockQueryDto } from './inventory.dto.js';
import { toProductEventsWire } from './stock-event.wire.js';
import { type StockInstant, StockService } from './stock.service.js';

/** Stock of one product, and its ledger. */
@ApiTags('inventory')
@Controller('inventory/products/:id')
export class InventoryController {
  constructor(private readonly stock: StockService) {}

  @Get('stock')
  @Roles('device', 'staff', 'admin')
  @ApiOperation({
    summary: 'Stock of a product',
    description:
      'Now, or as it was at a lamport or at a time. Before its first event there is nothing, and not tracked.',
  })
  @ApiParam({ name: 'id', format: 'uuid', example: DEMO_PRODUCT_ID })
  @ApiOkResponse({ type: StockDto })
  @ApiProblem('NOT_FOUND')
  async stockOf(
    @CurrentPrincipal() principal: TenantPrincipal,
    @Param('id', UuidPipe) productId: string,
    @Query() query: StockQueryDto,
  ): Promise<StockDto> {
    const { quantity, tracked, lastLamport } = await this.stock.stockOf(
      principal.tenantId,
      productId,
      instantOf(query),
    );
    return { product_id: productId, quantity, tracked, last_lamport: lastLamport };
  }

  @Get('events')
  @Roles('device', 'staff', 'admin')
  @ApiOperation({
    summary: 'Ledger of a product',
    description: 'Its events with the running balance, oldest first, in pages.',
  })
  @ApiParam({ name: 'id', format: 'uuid', example: DEMO_PRODUCT_ID })
  @ApiOkResponse({ type: ProductEventsDto })
  @ApiProblem('NOT_FOUND')
  async eventsOf(
    @CurrentPrincipal() principal: TenantPrincipal,
    @Param('id', UuidPipe) productId: string,
    @Query() query: ProductEventsQueryDto,
  ): Promise<ProductEventsDto> {
    const page = { after: query.cursor ?? 0, limit: query.limit ?? 100 };
    return toProductEventsWire(await this.stock.eventsOf(principal.tenantId, productId, page));
  }
}

function instantOf({ at_lamport: lamport, at_time: time }: StockQueryDto): StockInstant {
  if (lamport != null && time != null) {
    const message = 'must not be given together with at_lamport';
    throw new ProblemError('VALIDATION', { errors: [{ path: 'at_time', code: 'EXCLUSIVE', message }] });
  }
  if (lamport != null) return { lamport };
  return time != null ? { time: new Date(time) } : 'NOW';
}

import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { ApiProblem } from '../problems/api-problem.decorator.js';
import { CurrentPrincipal, Roles } from '../tenancy/guards/access.decorators.js';
import type { TenantPrincipal } from '../tenancy/domain/principal.js';
import { DEMO_PRODUCT_ID } from '../wire/examples.js';
import { UuidPipe } from '../wire/uuid.pipe.js';
import { ProductEventsDto, ProductEventsQueryDto, StockDto } from './inventory.dto.js';
import { toProductEventsWire } from './stock-event.wire.js';
import { StockService } from './stock.service.js';

@ApiTags('inventory')
@Controller('inventory')
export class InventoryController {
  constructor(private readonly stock: StockService) {}

  @Get('products/:id/stock')
  @Roles('device', 'staff', 'admin')
  @ApiOperation({ summary: 'Stock of a product now' })
  @ApiParam({ name: 'id', format: 'uuid', example: DEMO_PRODUCT_ID })
  @ApiOkResponse({ type: StockDto })
  @ApiProblem('NOT_FOUND')
  async stockOf(
    @CurrentPrincipal() principal: TenantPrincipal,
    @Param('id', UuidPipe) productId: string,
  ): Promise<StockDto> {
    const { quantity, tracked, lastLamport } = await this.stock.stockOf(principal.tenantId, productId);
    return { product_id: productId, quantity, tracked, last_lamport: lastLamport };
  }

  @Get('products/:id/events')
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

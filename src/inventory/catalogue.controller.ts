import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { ApiProblem } from '../problems/api-problem.decorator.js';
import type { TenantPrincipal } from '../tenancy/domain/principal.js';
import { CurrentPrincipal, Roles } from '../tenancy/guards/access.decorators.js';
import { DEMO_PRODUCT_ID } from '../wire/examples.js';
import { UuidPipe } from '../wire/uuid.pipe.js';
import { CatalogueService } from './catalogue.service.js';
import { AlertListDto, AlertQueryDto, ProductListDto, ProductQueryDto, StockedProductDto } from './product.dto.js';
import {
  fromAlertCursor,
  fromProductCursor,
  toAlertCursor,
  toAlertWire,
  toProductCursor,
  toStockedProductWire,
} from './product.wire.js';

@ApiTags('inventory')
@Controller('inventory')
export class CatalogueController {
  constructor(private readonly catalogue: CatalogueService) {}

  @Get('products')
  @Roles('device', 'staff', 'admin')
  @ApiOperation({ summary: 'Search the catalogue', description: 'Products with their stock, by name, in pages.' })
  @ApiOkResponse({ type: ProductListDto })
  async list(@CurrentPrincipal() principal: TenantPrincipal, @Query() query: ProductQueryDto): Promise<ProductListDto> {
    const { search = null, category = null, sku = null, cursor } = query;
    const { entries, next } = await this.catalogue.list(
      principal.tenantId,
      { search, category, sku, withDeleted: query.include_deleted ?? false },
      cursor == null ? null : fromProductCursor(cursor),
      query.limit ?? 100,
    );
    return {
      products: entries.map(({ product, level }) => toStockedProductWire(product, level)),
      next_cursor: next && toProductCursor(next),
    };
  }

  @Get('products/:id')
  @Roles('device', 'staff', 'admin')
  @ApiOperation({ summary: 'One product', description: 'With its stock; a deleted one as its tombstone.' })
  @ApiParam({ name: 'id', format: 'uuid', example: DEMO_PRODUCT_ID })
  @ApiOkResponse({ type: StockedProductDto })
  @ApiProblem('NOT_FOUND')
  async get(
    @CurrentPrincipal() principal: TenantPrincipal,
    @Param('id', UuidPipe) id: string,
  ): Promise<StockedProductDto> {
    const { product, level } = await this.catalogue.get(principal.tenantId, id);
    return toStockedProductWire(product, level);
  }

  @Get('alerts')
  @Roles('device', 'staff', 'admin')
  @ApiOperation({
    summary: 'What staff should look at',
    description: 'Products that are oversold, below their reorder point, or moved though the catalogue lacks them.',
  })
  @ApiOkResponse({ type: AlertListDto })
  async alerts(@CurrentPrincipal() principal: TenantPrincipal, @Query() query: AlertQueryDto): Promise<AlertListDto> {
    const { entries, next } = await this.catalogue.listAlerts(
      principal.tenantId,
      query.kind ?? null,
      query.cursor == null ? null : fromAlertCursor(query.cursor),
      query.limit ?? 100,
    );
    return { alerts: entries.map(toAlertWire), next_cursor: next && toAlertCursor(next) };
  }
}

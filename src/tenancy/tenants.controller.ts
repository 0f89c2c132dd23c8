import { Body, Controller, Get, Param, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { ApiProblem } from '../problems/api-problem.decorator.js';
import { DEMO_TENANT_ID } from '../wire/examples.js';
import { UuidPipe } from '../wire/uuid.pipe.js';
import { Roles } from './guards/access.decorators.js';
import { CreateTenantDto, TenantDto, TenantListDto } from './tenant.dto.js';
import { toTenantWire } from './tenant.wire.js';
import { TenantsService } from './tenants.service.js';

@ApiTags('tenants')
@Controller('tenants')
export class TenantsController {
  constructor(private readonly tenants: TenantsService) {}

  @Post()
  @Roles('operator')
  @ApiOperation({ summary: 'Create a tenant', description: 'A business with an empty ledger of its own.' })
  @ApiCreatedResponse({ type: TenantDto })
  @ApiProblem('VALIDATION', 'MALFORMED_JSON', 'UNSUPPORTED_MEDIA_TYPE', 'PAYLOAD_TOO_LARGE')
  async create(@Body() body: CreateTenantDto): Promise<TenantDto> {
    return toTenantWire(await this.tenants.create(body.name));
  }

  @Get()
  @Roles('operator')
  @ApiOperation({ summary: 'List all tenants' })
  @ApiOkResponse({ type: TenantListDto })
  async list(): Promise<TenantListDto> {
    return { tenants: (await this.tenants.list()).map(toTenantWire) };
  }

  @Get(':id')
  @Roles('operator')
  @ApiOperation({ summary: 'Show one tenant' })
  @ApiParam({ name: 'id', format: 'uuid', example: DEMO_TENANT_ID })
  @ApiOkResponse({ type: TenantDto })
  @ApiProblem('VALIDATION', 'NOT_FOUND')
  async get(@Param('id', UuidPipe) id: string): Promise<TenantDto> {
    return toTenantWire(await this.tenants.get(id));
  }
}

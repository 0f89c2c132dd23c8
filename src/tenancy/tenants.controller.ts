import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiCreatedResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import { ApiProblem } from '../problems/api-problem.decorator.js';
import { DEMO_TENANT_ID } from '../wire/examples.js';
import { UuidPipe } from '../wire/uuid.pipe.js';
import { CurrentActor } from './audit/current-actor.js';
import type { Acting } from './audit/domain/actor.js';
import type { OperatorPrincipal } from './domain/principal.js';
import { Roles } from './guards/access.decorators.js';
import { CreateTenantDto, DeletionQueryDto, TenantChangeDto, TenantDto, TenantListDto } from './tenant.dto.js';
import { toTenantChange, toTenantWire } from './tenant.wire.js';
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
  async create(@CurrentActor() operator: Acting<OperatorPrincipal>, @Body() body: CreateTenantDto): Promise<TenantDto> {
    return toTenantWire(await this.tenants.create(operator, body.name));
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
  @ApiOperation({ summary: 'Show one tenant', description: 'One that was deleted, too.' })
  @ApiParam({ name: 'id', format: 'uuid', example: DEMO_TENANT_ID })
  @ApiOkResponse({ type: TenantDto })
  @ApiProblem('VALIDATION', 'NOT_FOUND')
  async get(@Param('id', UuidPipe) id: string): Promise<TenantDto> {
    return toTenantWire(await this.tenants.get(id));
  }

  @Patch(':id')
  @Roles('operator')
  @ApiOperation({
    summary: 'Rename, suspend or resume a tenant, or change its settings',
    description:
      'Send only what is to change. A suspended tenant is let in nowhere from its next request on: its live streams and ' +
      'its downloads end within seconds, and its reservations and conflicts wait. Resumed, it goes on where it was: ' +
      'devices have kept what they recorded meanwhile.',
  })
  @ApiParam({ name: 'id', format: 'uuid', example: DEMO_TENANT_ID })
  @ApiOkResponse({ type: TenantDto })
  @ApiProblem('VALIDATION', 'NOT_FOUND', 'TENANT_DELETED')
  @ApiProblem('MALFORMED_JSON', 'UNSUPPORTED_MEDIA_TYPE', 'PAYLOAD_TOO_LARGE')
  async change(
    @CurrentActor() operator: Acting<OperatorPrincipal>,
    @Param('id', UuidPipe) id: string,
    @Body() body: TenantChangeDto,
  ): Promise<TenantDto> {
    return toTenantWire(await this.tenants.change(operator, id, toTenantChange(body)));
  }

  @Delete(':id')
  @HttpCode(202)
  @Roles('operator')
  @ApiOperation({
    summary: 'Delete a suspended tenant, for good',
    description:
      'All its data, its own audit entries with them; there is no way back but a backup. Export them first. It is done in ' +
      'the background, in some seconds for a million events, and goes on after a crash: the tenant is DELETING until it is ' +
      'DELETED. What the platform did to it stays in the audit log, and its id is never used again. Doing it again changes ' +
      'nothing.',
  })
  @ApiParam({ name: 'id', format: 'uuid', example: DEMO_TENANT_ID })
  @ApiAcceptedResponse({ type: TenantDto })
  @ApiProblem('VALIDATION', 'NOT_FOUND', 'TENANT_NOT_SUSPENDED')
  async delete(
    @CurrentActor() operator: Acting<OperatorPrincipal>,
    @Param('id', UuidPipe) id: string,
    @Query() { confirm }: DeletionQueryDto,
  ): Promise<TenantDto> {
    return toTenantWire(await this.tenants.orderDeletion(operator, id, confirm));
  }
}

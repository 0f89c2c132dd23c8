import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { ApiProblem } from '../problems/api-problem.decorator.js';
import { CurrentActor } from '../tenancy/audit/current-actor.js';
import type { Acting } from '../tenancy/audit/domain/actor.js';
import type { PersonPrincipal, TenantPrincipal } from '../tenancy/domain/principal.js';
import { CurrentPrincipal, Roles } from '../tenancy/guards/access.decorators.js';
import { DEMO_PAYMENT_ID } from '../wire/examples.js';
import { UuidPipe } from '../wire/uuid.pipe.js';
import { PaymentDto, PaymentListDto, PaymentQueryDto, ReconcileDto } from './payment.dto.js';
import { toPaymentFilter, toPaymentListWire, toPaymentWire } from './payment.wire.js';
import { PaymentsService } from './payments.service.js';
import { ReconciliationService } from './reconciliation.service.js';

@ApiTags('payments')
@Controller('payments')
export class PaymentsController {
  constructor(
    private readonly payments: PaymentsService,
    private readonly reconciliations: ReconciliationService,
  ) {}

  @Get()
  @Roles('device', 'staff', 'admin')
  @ApiOperation({ summary: 'List payments', description: 'The newest first, in pages.' })
  @ApiOkResponse({ type: PaymentListDto })
  async list(@CurrentPrincipal() principal: TenantPrincipal, @Query() query: PaymentQueryDto): Promise<PaymentListDto> {
    const filter = toPaymentFilter(query);
    return toPaymentListWire(
      await this.payments.list(principal.tenantId, filter, query.cursor ?? null, query.limit ?? 100),
    );
  }

  @Get(':id')
  @Roles('device', 'staff', 'admin')
  @ApiOperation({ summary: 'One payment' })
  @ApiParam({ name: 'id', format: 'uuid', example: DEMO_PAYMENT_ID })
  @ApiOkResponse({ type: PaymentDto })
  @ApiProblem('NOT_FOUND')
  async get(@CurrentPrincipal() principal: TenantPrincipal, @Param('id', UuidPipe) id: string): Promise<PaymentDto> {
    return toPaymentWire(await this.payments.get(principal.tenantId, id));
  }

  @Post(':id/reconcile')
  @HttpCode(200)
  @Roles('admin')
  @ApiOperation({
    summary: 'Say whether the money arrived',
    description:
      'Only here: no device can set it, what one says of it in a push is ignored. Devices learn of it by their next ' +
      'pull. The same again changes nothing; another decision later replaces the first, and both stay in the history.',
  })
  @ApiParam({ name: 'id', format: 'uuid', example: DEMO_PAYMENT_ID })
  @ApiOkResponse({ type: PaymentDto })
  @ApiProblem('NOT_FOUND', 'MALFORMED_JSON', 'UNSUPPORTED_MEDIA_TYPE', 'PAYLOAD_TOO_LARGE')
  async reconcile(
    @CurrentActor() admin: Acting<PersonPrincipal>,
    @Param('id', UuidPipe) id: string,
    @Body() body: ReconcileDto,
  ): Promise<PaymentDto> {
    const decision = { status: body.reconciliation_status, notes: body.notes ?? null };
    return toPaymentWire(await this.reconciliations.decide(admin, id, decision));
  }
}

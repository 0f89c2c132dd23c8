import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { StatesModule } from '../states/states.module.js';
import { TenancyModule } from '../tenancy/tenancy.module.js';
import { PaymentEntity } from './persistence/payment.entity.js';
import { PaymentListingRepository } from './persistence/payment-listing.repository.js';
import { PaymentRepository } from './persistence/payment.repository.js';
import { PaymentsController } from './payments.controller.js';
import { PaymentsService } from './payments.service.js';
import { ReconciliationService } from './reconciliation.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([PaymentEntity]), TenancyModule, StatesModule],
  controllers: [PaymentsController],
  providers: [PaymentsService, ReconciliationService, PaymentRepository, PaymentListingRepository],
  exports: [PaymentRepository],
})
export class PaymentsModule {}

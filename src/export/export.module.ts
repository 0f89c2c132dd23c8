import { Module } from '@nestjs/common';
import { TenancyModule } from '../tenancy/tenancy.module.js';
import { ExportController } from './export.controller.js';
import { ExportService } from './export.service.js';
import { ExportRepository } from './persistence/export.repository.js';

/** Reads the entities that the modules below have told TypeORM of. */
@Module({
  imports: [TenancyModule],
  controllers: [ExportController],
  providers: [ExportService, ExportRepository],
})
export class ExportModule {}

import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ConflictsController } from './conflicts.controller.js';
import { ConflictsService } from './conflicts.service.js';
import { ConflictEntity } from './persistence/conflict.entity.js';
import { ConflictRepository } from './persistence/conflict.repository.js';

@Module({
  imports: [TypeOrmModule.forFeature([ConflictEntity])],
  controllers: [ConflictsController],
  providers: [ConflictsService, ConflictRepository],
  exports: [ConflictRepository],
})
export class ConflictsModule {}

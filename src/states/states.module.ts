import { Module } from '@nestjs/common';
import { StateVersionRepository } from './persistence/state-version.repository.js';

@Module({ providers: [StateVersionRepository], exports: [StateVersionRepository] })
export class StatesModule {}

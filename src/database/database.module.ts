import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Settings } from '../config/settings.js';
import { dataSourceOptions } from './data-source.js';
import { LongReads } from './long-reads.js';
import { TenantDatabase } from './tenant-database.js';

/** The pool of the restricted role, and the one door to tenant rows. Modules add their entities with `forFeature`. */
@Global()
@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      inject: [Settings],
      useFactory: (settings: Settings) => ({
        ...dataSourceOptions(settings.databaseUrl, settings.databasePoolMax),
        autoLoadEntities: true,
        retryAttempts: 0, // main.ts has connected and looked around before
      }),
    }),
  ],
  providers: [
    TenantDatabase,
    {
      provide: LongReads,
      useFactory: (settings: Settings) => new LongReads(settings.databasePoolMax),
      inject: [Settings],
    },
  ],
  exports: [TenantDatabase, LongReads],
})
export class DatabaseModule {}

import { Global, Module } from '@nestjs/common';
import { Settings } from '../config/settings.js';
import { TenantSignals } from './tenant-signals.js';

/** Global, as the database is: whoever writes to a tenant's log announces it. */
@Global()
@Module({
  providers: [
    {
      provide: TenantSignals,
      useFactory: (settings: Settings) => new TenantSignals(settings),
      inject: [Settings],
    },
  ],
  exports: [TenantSignals],
})
export class SignalsModule {}

import { Global, Module } from '@nestjs/common';
import { Settings } from '../config/settings.js';
import { RequestLimits } from './request-limits.js';

@Global()
@Module({
  providers: [
    {
      provide: RequestLimits,
      useFactory: (settings: Settings) => new RequestLimits(settings.rateLimits, settings.redisUrl),
      inject: [Settings],
    },
  ],
  exports: [RequestLimits],
})
export class LimitsModule {}

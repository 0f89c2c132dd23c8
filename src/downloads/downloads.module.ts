import { Global, Module } from '@nestjs/common';
import { Downloads } from './downloads.js';

@Global()
@Module({ providers: [Downloads], exports: [Downloads] })
export class DownloadsModule {}

import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { SERVICE_VERSION } from '../config/settings.js';
import { Public } from '../tenancy/guards/access.decorators.js';

class ServiceDto {
  @ApiProperty({ example: 'agrotour-sync-engine' }) service!: string;
  @ApiProperty({ example: 'ok' }) status!: string;
  @ApiProperty({ example: '0.1.0' }) version!: string;
}

@ApiTags('health')
@Controller()
@Public()
export class RootController {
  @Get()
  @ApiOperation({ summary: 'What answers here' })
  @ApiOkResponse({ type: ServiceDto })
  root(): ServiceDto {
    return { service: 'agrotour-sync-engine', status: 'ok', version: SERVICE_VERSION };
  }
}

import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { PersonPrincipal } from '../../tenancy/domain/principal.js';
import { CurrentPrincipal, Roles } from '../../tenancy/guards/access.decorators.js';
import { DeviceListDto } from './device-list.dto.js';
import { DeviceListService } from './device-list.service.js';
import { toDeviceListWire } from './device-list.wire.js';

@ApiTags('devices')
@Controller('devices')
export class DeviceListController {
  constructor(private readonly devices: DeviceListService) {}

  @Get()
  @Roles('admin', 'staff')
  @ApiOperation({
    summary: 'List the devices of the business',
    description:
      'With when each was last here, how far it is behind, whether its clocks can be believed, and how many conflicts it is in.',
  })
  @ApiOkResponse({ type: DeviceListDto })
  async list(@CurrentPrincipal() person: PersonPrincipal): Promise<DeviceListDto> {
    return toDeviceListWire(await this.devices.list(person.tenantId));
  }
}

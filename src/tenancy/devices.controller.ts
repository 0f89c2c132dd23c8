import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import { ApiProblem } from '../problems/api-problem.decorator.js';
import { UuidPipe } from '../wire/uuid.pipe.js';
import { DEMO_DEVICE_ID } from '../wire/examples.js';
import { DeviceListDto, EnrolDeviceDto, EnrolledDeviceDto } from './device.dto.js';
import { toDeviceListWire, toEnrolledDeviceWire } from './device.wire.js';
import { DevicesService } from './devices.service.js';
import type { PersonPrincipal } from './domain/principal.js';
import { CurrentPrincipal, Roles } from './guards/access.decorators.js';

@ApiTags('devices')
@Controller('devices')
export class DevicesController {
  constructor(private readonly devices: DevicesService) {}

  @Post()
  @Roles('admin')
  @ApiOperation({ summary: 'Enrol a device', description: 'The answer has its token, which is shown this once.' })
  @ApiCreatedResponse({ type: EnrolledDeviceDto })
  @ApiProblem('DEVICE_EXISTS', 'MALFORMED_JSON', 'UNSUPPORTED_MEDIA_TYPE', 'PAYLOAD_TOO_LARGE')
  async enrol(@CurrentPrincipal() admin: PersonPrincipal, @Body() body: EnrolDeviceDto): Promise<EnrolledDeviceDto> {
    const { id, name, device_type: deviceType } = body;
    return toEnrolledDeviceWire(await this.devices.enrol(admin.tenantId, { id: id?.toLowerCase(), name, deviceType }));
  }

  @Get()
  @Roles('admin', 'staff')
  @ApiOperation({
    summary: 'List the devices of the business',
    description: 'With when each was last here, how far it is behind, and whether its clocks can be believed.',
  })
  @ApiOkResponse({ type: DeviceListDto })
  async list(@CurrentPrincipal() person: PersonPrincipal): Promise<DeviceListDto> {
    return toDeviceListWire(await this.devices.list(person.tenantId));
  }

  @Delete(':id')
  @HttpCode(204)
  @Roles('admin')
  @ApiOperation({
    summary: 'Revoke a device',
    description:
      'From its next request on it gets 401 DEVICE_REVOKED. What it pushed stays. Revoking twice changes nothing.',
  })
  @ApiParam({ name: 'id', format: 'uuid', example: DEMO_DEVICE_ID })
  @ApiNoContentResponse({ description: 'Revoked.' })
  @ApiProblem('NOT_FOUND')
  async revoke(@CurrentPrincipal() admin: PersonPrincipal, @Param('id', UuidPipe) id: string): Promise<void> {
    await this.devices.revoke(admin.tenantId, id);
  }
}

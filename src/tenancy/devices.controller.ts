import { Body, Controller, Delete, HttpCode, Param, Patch, Post } from '@nestjs/common';
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
import { CurrentActor } from './audit/current-actor.js';
import type { Acting } from './audit/domain/actor.js';
import { DeviceChangeDto, DeviceIdentityDto, EnrolDeviceDto, EnrolledDeviceDto } from './device.dto.js';
import { toDeviceChange, toDeviceIdentityWire, toEnrolledDeviceWire } from './device.wire.js';
import { DevicesService } from './devices.service.js';
import type { PersonPrincipal } from './domain/principal.js';
import { Roles } from './guards/access.decorators.js';

@ApiTags('devices')
@Controller('devices')
export class DevicesController {
  constructor(private readonly devices: DevicesService) {}

  @Post()
  @Roles('admin')
  @ApiOperation({
    summary: 'Enrol a device',
    description:
      'Or enrol one again that was revoked: its entries are its own as before, and its old tokens stay refused. The answer ' +
      'has its token, which is shown this once, and where its clock is to start.',
  })
  @ApiCreatedResponse({ type: EnrolledDeviceDto })
  @ApiProblem('DEVICE_EXISTS', 'MALFORMED_JSON', 'UNSUPPORTED_MEDIA_TYPE', 'PAYLOAD_TOO_LARGE')
  async enrol(
    @CurrentActor() admin: Acting<PersonPrincipal>,
    @Body() body: EnrolDeviceDto,
  ): Promise<EnrolledDeviceDto> {
    const { id, name, device_type: deviceType } = body;
    return toEnrolledDeviceWire(await this.devices.enrol(admin, { id: id?.toLowerCase(), name, deviceType }));
  }

  @Patch(':id')
  @Roles('admin')
  @ApiOperation({
    summary: 'Rename a device',
    description: 'Send only what is to change. Entries that it has recorded keep the `device_type` that they say.',
  })
  @ApiParam({ name: 'id', format: 'uuid', example: DEMO_DEVICE_ID })
  @ApiOkResponse({ type: DeviceIdentityDto })
  @ApiProblem('NOT_FOUND', 'MALFORMED_JSON', 'UNSUPPORTED_MEDIA_TYPE', 'PAYLOAD_TOO_LARGE')
  async change(
    @CurrentActor() admin: Acting<PersonPrincipal>,
    @Param('id', UuidPipe) id: string,
    @Body() body: DeviceChangeDto,
  ): Promise<DeviceIdentityDto> {
    return toDeviceIdentityWire(await this.devices.change(admin, id, toDeviceChange(body)));
  }

  @Post(':id/token')
  @HttpCode(200)
  @Roles('admin')
  @ApiOperation({
    summary: 'Give a device another token',
    description:
      'For a token that others may have seen, or that a re-installed device has lost. From the next request on all earlier ' +
      'tokens of the device get 401 TOKEN_REVOKED, in every process, and its open streams end. The answer is as of the ' +
      'enrolment. Where an identity provider signs the tokens, those that it issued before now are refused.',
  })
  @ApiParam({ name: 'id', format: 'uuid', example: DEMO_DEVICE_ID })
  @ApiOkResponse({ type: EnrolledDeviceDto })
  @ApiProblem('NOT_FOUND', 'DEVICE_INACTIVE')
  async replaceToken(
    @CurrentActor() admin: Acting<PersonPrincipal>,
    @Param('id', UuidPipe) id: string,
  ): Promise<EnrolledDeviceDto> {
    return toEnrolledDeviceWire(await this.devices.replaceToken(admin, id));
  }

  @Delete(':id')
  @HttpCode(204)
  @Roles('admin')
  @ApiOperation({
    summary: 'Revoke a device',
    description:
      'From its next request on it gets 401 DEVICE_REVOKED, in every process, and its open streams end. What it pushed ' +
      'stays. Revoking twice changes nothing. To let it in again, enrol it again with its id.',
  })
  @ApiParam({ name: 'id', format: 'uuid', example: DEMO_DEVICE_ID })
  @ApiNoContentResponse({ description: 'Revoked.' })
  @ApiProblem('NOT_FOUND')
  async revoke(@CurrentActor() admin: Acting<PersonPrincipal>, @Param('id', UuidPipe) id: string): Promise<void> {
    await this.devices.revoke(admin, id);
  }
}

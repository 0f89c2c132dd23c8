import { ApiProperty } from '@nestjs/swagger';
import { NotEquals } from 'class-validator';
import { DEMO_DEVICE_ID } from '../wire/examples.js';
import { MayBeLeftOut, WireEnum, WireText, WireUuid } from '../wire/wire.decorators.js';
import { SERVER_ID } from './domain/device.js';
import { DEVICE_TYPES, type DeviceType } from './domain/device-type.js';

const NameField = (): PropertyDecorator =>
  WireText({ max: 200, description: 'What the staff call it.', example: 'Market stall till' });
const DeviceTypeField = (): PropertyDecorator => WireEnum(DEVICE_TYPES, { example: 'MOBILE' });

export class EnrolDeviceDto {
  @WireUuid({
    optional: true,
    description:
      'The id the device has made for itself, or, of one that was revoked, the one it had; else the service makes one. ' +
      'Not all zeros: that stands for the server.',
    example: null,
  })
  @NotEquals(SERVER_ID, { message: 'must not be all zeros, which stands for the server' })
  id?: string | null;
  @NameField() name!: string;
  @DeviceTypeField() device_type!: DeviceType;
}

/** What is left out stays. null is no name, so it is refused rather than read as one. */
export class DeviceChangeDto {
  @MayBeLeftOut() @NameField() name?: string;
  @MayBeLeftOut() @DeviceTypeField() device_type?: DeviceType;
}

export class DeviceIdentityDto {
  @ApiProperty({ format: 'uuid', example: DEMO_DEVICE_ID }) id!: string;
  @ApiProperty({ example: 'Market stall till' }) name!: string;
  @ApiProperty({ enum: DEVICE_TYPES, example: 'MOBILE' }) device_type!: DeviceType;
}

export class EnrolledDeviceDto extends DeviceIdentityDto {
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'The device’s bearer token, shown this once; null where an identity provider signs the tokens.',
    example: 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.…',
  })
  token!: string | null;
  @ApiProperty({
    type: 'integer',
    description:
      'The tenant’s clock. A device that knows of no later lamport of its own starts from here: its first entry has one ' +
      'more. So a device that lost its memory gives no lamport twice.',
    example: 43,
  })
  lamport!: number;
}

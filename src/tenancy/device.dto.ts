import { ApiProperty, PickType } from '@nestjs/swagger';
import { DEMO_DEVICE_ID } from '../wire/examples.js';
import { WireEnum, WireText, WireUuid } from '../wire/wire.decorators.js';
import { DEVICE_TYPES, type DeviceType } from './domain/device-type.js';

export class EnrolDeviceDto {
  @WireUuid({ optional: true, description: 'The id the device has made for itself; else the service makes one.' }) id?:
    string | null;
  @WireText({ max: 200, description: 'What the staff call it.', example: 'Market stall till' }) name!: string;
  @WireEnum(DEVICE_TYPES, { example: 'MOBILE' }) device_type!: DeviceType;
}

export class DeviceDto {
  @ApiProperty({ format: 'uuid', example: DEMO_DEVICE_ID }) id!: string;
  @ApiProperty({ example: 'Market stall till' }) name!: string;
  @ApiProperty({ enum: DEVICE_TYPES, example: 'MOBILE' }) device_type!: DeviceType;
  @ApiProperty({ format: 'date-time', example: '2026-03-01T09:30:00.000Z' }) created_at!: string;
  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'null while it may push and pull.',
    example: null,
  })
  revoked_at!: string | null;
}

export class EnrolledDeviceDto extends PickType(DeviceDto, ['id', 'name', 'device_type'] as const) {
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'The device’s bearer token, shown this once; null where an identity provider signs the tokens.',
    example: 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.…',
  })
  token!: string | null;
}

export class DeviceListDto {
  @ApiProperty({ type: [DeviceDto], description: 'The oldest first, revoked ones included.' }) devices!: DeviceDto[];
}

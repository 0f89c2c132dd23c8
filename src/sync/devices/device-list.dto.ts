import { ApiProperty } from '@nestjs/swagger';
import { DeviceIdentityDto } from '../../tenancy/device.dto.js';

export class DeviceDto extends DeviceIdentityDto {
  @ApiProperty({ format: 'date-time', example: '2026-03-01T09:30:00.000Z' }) created_at!: string;
  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'null while it may push and pull.',
    example: null,
  })
  revoked_at!: string | null;
  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description:
      'When its last push or pull was answered, by the server’s clock. A device that pulls and finds nothing new is noted once a minute. null if it never was here.',
    example: '2026-03-01T18:05:12.000Z',
  })
  last_seen_at!: string | null;
  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'The highest lamport that an entry it pushed was given; null if none was recorded.',
    example: 41,
  })
  last_pushed_lamport!: number | null;
  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: '`next_lamport` of the last answer to a pull of it; null if it never pulled.',
    example: 40,
  })
  last_pulled_lamport!: number | null;
  @ApiProperty({
    type: 'integer',
    nullable: true,
    description:
      '`server_lamport` − `last_pulled_lamport`: how many entries it has yet to pull, at most, for lamports have gaps. 0 if it has all; null if it never pulled.',
    example: 3,
  })
  lag!: number | null;
  @ApiProperty({
    type: 'integer',
    nullable: true,
    description:
      'Milliseconds by which its wall clock was ahead of the server’s (negative: behind) when it last pushed with `sent_at`, the way there included; null if it never said.',
    example: -1250,
  })
  clock_skew_ms!: number | null;
  @ApiProperty({
    description:
      'Whether it has used a lamport of its own for two operations, as a copy of a device does, and one that was re-installed and lost its clock.',
    example: false,
  })
  clock_reused!: boolean;
  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When it last did so: a copy goes on, a re-install happens once. null if it never did.',
    example: null,
  })
  clock_reused_at!: string | null;
  @ApiProperty({
    type: 'integer',
    description: 'Conflicts that wait for the heuristics or a person, in which one of the two sides is an entry of it.',
    example: 0,
  })
  pending_conflicts!: number;
}

export class DeviceListDto {
  @ApiProperty({ type: [DeviceDto], description: 'The oldest first, revoked ones included.' }) devices!: DeviceDto[];
  @ApiProperty({ type: 'integer', description: 'The tenant’s clock.', example: 43 }) server_lamport!: number;
}

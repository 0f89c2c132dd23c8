import { ApiProperty } from '@nestjs/swagger';
import { DEMO_TENANT_ID } from '../../wire/examples.js';
import { WireQueryInteger, WireUuid } from '../../wire/wire.decorators.js';

export const LIVE_LIMIT_MAX = 1_000;

export class LiveQueryDto {
  @WireUuid({ optional: true, description: 'If given, the tenant of the token.', example: DEMO_TENANT_ID }) tenant_id?:
    string | null;
  @WireQueryInteger({
    min: 1,
    max: LIVE_LIMIT_MAX,
    description:
      'Events after which the stream ends, to try it out or to wait for one change; without it, it stays open.',
    example: 1,
  })
  limit?: number | null;
}

/** `data` of an event. */
export class LiveEventDto {
  @ApiProperty({ type: 'integer', description: 'The tenant’s clock: pull, if it is beyond your cursor.', example: 43 })
  server_lamport!: number;
  @ApiProperty({
    format: 'uuid',
    description: 'Changes when the database is restored from a backup.',
    example: '6a3f0e1c-33a5-4f0e-8d55-9d3f6f1c7f55',
  })
  epoch!: string;
}

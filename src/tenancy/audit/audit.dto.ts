import { ApiProperty } from '@nestjs/swagger';
import { DEMO_DEVICE_ID, DEMO_TENANT_ID, DEMO_USER_ID } from '../../wire/examples.js';
import { WireEnum, WireQueryInteger, WireQueryTime, WireText, WireUuid } from '../../wire/wire.decorators.js';
import { ACTOR_ROLES, type ActorRole } from './domain/actor.js';
import { AUDIT_ACTIONS, type AuditAction } from './domain/audit-entry.js';

const PAGE_MAX = 1_000;

export class AuditQueryDto {
  @WireEnum(AUDIT_ACTIONS, { optional: true }) action?: AuditAction | null;
  @WireUuid({ optional: true, description: 'Who did it.' }) user_id?: string | null;
  @WireUuid({ optional: true, description: 'For an operator: of this business alone. Else that of the token.' })
  tenant_id?: string | null;
  @WireQueryTime({ description: 'Done then or later.' }) from?: string | null;
  @WireQueryTime({ description: 'Done before then.' }) to?: string | null;
  @WireText({ optional: true, max: 200, description: '`next_cursor` of the page before.' }) cursor?: string | null;
  @WireQueryInteger({ min: 1, max: PAGE_MAX, default: 100, description: 'Entries in a page.' })
  limit: number | null = 100;
}

/** An entry of the audit log. */
export class AuditEntryDto {
  @ApiProperty({ format: 'uuid' }) id!: string;
  @ApiProperty({
    format: 'uuid',
    description: 'The business it was done to; the nil UUID if it was the platform as a whole.',
    example: DEMO_TENANT_ID,
  })
  tenant_id!: string;
  @ApiProperty({ format: 'date-time', description: 'By the server’s clock.', example: '2026-03-01T18:04:11.218Z' })
  at!: string;
  @ApiProperty({ enum: AUDIT_ACTIONS, description: 'The thing, and what was done.', example: 'device.enrolled' })
  action!: AuditAction;
  @ApiProperty({
    type: String,
    format: 'uuid',
    nullable: true,
    description: 'Of the device or payment; null if it is about the business as a whole.',
    example: DEMO_DEVICE_ID,
  })
  entity_id!: string | null;
  @ApiProperty({
    type: 'object',
    additionalProperties: {
      type: 'object',
      required: ['before', 'after'],
      properties: { before: { nullable: true }, after: { nullable: true } },
    },
    description: 'The fields that changed. Tokens are never among them.',
    example: { name: { before: null, after: 'Demo till' } },
  })
  changes!: Record<string, { before: unknown; after: unknown }>;
  @ApiProperty({ enum: ACTOR_ROLES, description: 'service: by itself, or by one of its commands.', example: 'admin' })
  role!: ActorRole;
  @ApiProperty({
    type: String,
    format: 'uuid',
    nullable: true,
    description: 'Who did it, as the token said; null for the service.',
    example: DEMO_USER_ID,
  })
  user_id!: string | null;
  @ApiProperty({
    type: String,
    nullable: true,
    description:
      'The address the request came from; null if the client hung up before anybody could tell. null for the service, and of an operator for whoever is none, as are the two that follow.',
    example: '203.0.113.7',
  })
  ip!: string | null;
  @ApiProperty({ type: String, nullable: true, description: 'As the client said.', example: 'Mozilla/5.0' })
  user_agent!: string | null;
  @ApiProperty({
    type: String,
    format: 'uuid',
    nullable: true,
    description: 'Finds the request in the service’s log.',
    example: '5b0c3a52-6f5e-4c4e-9a55-2f1a2f6f3d10',
  })
  request_id!: string | null;
}

export class AuditListDto {
  @ApiProperty({ type: [AuditEntryDto], description: 'The newest first.' }) entries!: AuditEntryDto[];
  @ApiProperty({ type: String, nullable: true, description: 'null after the last page.', example: null })
  next_cursor!: string | null;
}

import { ApiProperty } from '@nestjs/swagger';
import { CONFLICT_KINDS, CONFLICT_STATUSES } from './domain/conflict.js';
import { RESOLUTION_METHODS, VERDICTS } from './domain/verdict.js';

/** Conflicts that have all of this in common. */
export class ConflictCountDto {
  @ApiProperty({ enum: CONFLICT_KINDS, example: 'OVERSELL' }) kind!: string;
  @ApiProperty({ enum: CONFLICT_STATUSES, example: 'RESOLVED_AUTO' }) status!: string;
  @ApiProperty({
    type: String,
    enum: RESOLUTION_METHODS,
    nullable: true,
    description: 'Who decided; null while they are PENDING.',
    example: 'HARDCODED',
  })
  method!: string | null;
  @ApiProperty({ type: String, enum: VERDICTS, nullable: true, description: 'What was decided.', example: 'B' })
  verdict!: string | null;
  @ApiProperty({ type: 'integer', example: 12 }) count!: number;
}

/** What waits for a decision. */
export class PendingConflictsDto {
  @ApiProperty({ type: 'integer', description: 'For the heuristics: they will look at it soon.', example: 0 })
  heuristic!: number;
  @ApiProperty({ type: 'integer', description: 'For the staff.', example: 3 }) person!: number;
  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When the one that waits longest was detected; null if none waits.',
    example: '2026-03-01T18:04:11.218Z',
  })
  oldest_detected_at!: string | null;
}

/** How long it took from the detection to the decision. */
export class SettlingTimeDto {
  @ApiProperty({ enum: RESOLUTION_METHODS, example: 'MANUAL' }) method!: string;
  @ApiProperty({ type: 'integer', description: 'Conflicts settled so.', example: 8 }) count!: number;
  @ApiProperty({ example: 5400.25 }) mean_seconds!: number;
  @ApiProperty({ example: 1800 }) median_seconds!: number;
}

/** How often people decided as the heuristics had suggested. */
export class AgreementDto {
  @ApiProperty({ enum: CONFLICT_KINDS, example: 'OVERSELL' }) kind!: string;
  @ApiProperty({ type: 'integer', description: 'Decided by people, with a suggestion before them.', example: 8 })
  decided!: number;
  @ApiProperty({ type: 'integer', description: 'Of these, with the verdict that was suggested.', example: 6 })
  agreed!: number;
  @ApiProperty({ description: 'The share of these, from 0 to 1.', example: 0.75 }) rate!: number;
}

export class ConflictStatsDto {
  @ApiProperty({ type: 'integer', example: 23 }) total!: number;
  @ApiProperty({ type: [ConflictCountDto], description: 'By kind, then the most frequent first.' })
  counts!: ConflictCountDto[];
  @ApiProperty({ type: PendingConflictsDto }) pending!: PendingConflictsDto;
  @ApiProperty({ type: [SettlingTimeDto], description: 'By who decided.' }) settled!: SettlingTimeDto[];
  @ApiProperty({
    type: [AgreementDto],
    description: 'By kind: those of which people have decided with a suggestion before them.',
  })
  agreement!: AgreementDto[];
}

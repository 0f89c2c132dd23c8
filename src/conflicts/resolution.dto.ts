import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { WireEntries, WireEnum, WireText, WireUuid } from '../wire/wire.decorators.js';
import { ConflictDetailDto } from './conflict.dto.js';
import { type Order, ORDERS } from './domain/resolution-order.js';
import { RESOLUTION_METHODS, VERDICTS } from './domain/verdict.js';

export const RESOLUTIONS_MAX = 100;
const FEEDBACK_MAX = 2_000;

const WinnerField = (): PropertyDecorator =>
  WireUuid({
    optional: true,
    description: 'The `id` of the side that stands alone. With any other `resolution` than WINNER it is left out.',
    example: null,
  });

const OrderField = (): PropertyDecorator =>
  WireEnum(ORDERS, {
    optional: true,
    description:
      'WINNER, which need not be said if `winner_id` is given: that side stands. BOTH, NEITHER: they do, or none does. ' +
      'SUGGESTION: as the heuristics suggest.',
    example: 'BOTH',
  });

const FeedbackField = (): PropertyDecorator =>
  WireText({
    optional: true,
    min: 0,
    max: FEEDBACK_MAX,
    lines: true,
    description: 'Why, for whoever reads the log later.',
    example: 'Ana counted again: there were enough for both.',
  });

/** How a person settles a conflict. */
export class ResolveDto {
  @WinnerField() winner_id?: string | null;
  @OrderField() resolution?: Order | null;
  @FeedbackField() feedback?: string | null;
}

/** How a person settles one of several. */
export class ResolutionEntryDto {
  @WireUuid({ example: '0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e70' }) conflict_id!: string;
  @WinnerField() winner_id?: string | null;
  @OrderField() resolution?: Order | null;
  @FeedbackField() feedback?: string | null;
}

/** The envelope alone. Entries are read one by one in resolution.wire.ts, so a bad one refuses only itself. */
export class ResolveManyDto {
  @WireEntries(ResolutionEntryDto, RESOLUTIONS_MAX, {
    description: 'At least one. Each is settled on its own, in this order.',
    example: [{ conflict_id: '0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e70', resolution: 'SUGGESTION' }],
  })
  resolutions!: unknown[];
}

export class ResolutionErrorDto {
  @ApiProperty({ example: 'resolutions[3].winner_id' }) path!: string;
  @ApiProperty({ example: 'NOT_A_SIDE' }) code!: string;
  @ApiProperty({ example: 'must be the id of one of the two sides of this conflict' }) message!: string;
}

/** How a conflict had been settled before. */
export class EarlierResolutionDto {
  @ApiProperty({ enum: RESOLUTION_METHODS, example: 'MANUAL' }) method!: string;
  @ApiProperty({ enum: VERDICTS, example: 'A' }) verdict!: string;
  @ApiProperty({ type: String, format: 'uuid', nullable: true }) winner_id!: string | null;
  @ApiProperty({ example: 'A person decided.' }) reason!: string;
}

export class ResolutionResultDto {
  @ApiProperty({ type: String, format: 'uuid', nullable: true, description: 'null if the entry names none.' })
  conflict_id!: string | null;
  @ApiProperty({ enum: ['resolved', 'refused'], example: 'resolved' }) status!: string;
  @ApiPropertyOptional({ description: 'If refused: why. The codes of `POST /sync/conflicts/{id}/resolve`.' })
  code?: string;
  @ApiPropertyOptional({ description: 'If refused: for people, about this one.' }) detail?: string;
  @ApiPropertyOptional({ type: [ResolutionErrorDto], description: 'Each field that is wrong.' })
  errors?: ResolutionErrorDto[];
  @ApiPropertyOptional({ type: EarlierResolutionDto, description: 'If ALREADY_RESOLVED: how.' })
  resolution?: EarlierResolutionDto;
  @ApiPropertyOptional({ type: ConflictDetailDto, description: 'If resolved: as it stands now.' })
  conflict?: ConflictDetailDto;
}

export class ResolutionResultsDto {
  @ApiProperty({ type: [ResolutionResultDto], description: 'One for each entry, in their order.' })
  results!: ResolutionResultDto[];
}

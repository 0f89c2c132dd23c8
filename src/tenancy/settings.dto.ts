import { MayBeLeftOut, WireEnum, WireNumber } from '../wire/wire.decorators.js';
import {
  CONFIDENCE_MAX,
  CONFIDENCE_MIN,
  CONFLICT_DETECTIONS,
  type ConflictDetection,
  DEFAULT_SETTINGS,
} from './domain/tenant-settings.js';

const ConflictDetectionField = (): PropertyDecorator =>
  WireEnum(CONFLICT_DETECTIONS, {
    description:
      'What the conflict log tells the shop of. CONTENTION: only what two devices did without knowing of each other and ' +
      'that cannot simply both stand, such as the last cheese sold twice, or a count during sales. CONCURRENCY: also ' +
      'what can, such as two sales from a full shelf: each such pair on a product is recorded, both stand, and nobody ' +
      'has anything to decide. Stock comes out the same; the log gets longer. Applies to what is pushed from now on.',
    example: DEFAULT_SETTINGS.conflictDetection,
  });

const HeuristicThresholdField = (): PropertyDecorator =>
  WireNumber({
    min: CONFIDENCE_MIN,
    max: CONFIDENCE_MAX,
    description:
      'How sure the service must be to settle by itself a conflict that no fixed rule decides. What it is less sure of ' +
      'waits for the staff, with its suggestion, its confidence and its reasons. Higher: more for people to decide; at 1 ' +
      'only what is certain is settled for them. Lower: fewer questions, more guesses; at 0 it follows any suggestion it ' +
      'has. Where both sides are paid, people decide whatever this says. Applies to what is looked at from now on.',
    example: DEFAULT_SETTINGS.heuristicThreshold,
  });

/** What the business has chosen, with the default where it has not. */
export class SettingsDto {
  @ConflictDetectionField() conflict_detection!: ConflictDetection;
  @HeuristicThresholdField() heuristic_threshold!: number;
}

/** Some of the settings: what is left out stays. null is no setting, so it is refused rather than read as one. */
export class SettingsChangeDto {
  @MayBeLeftOut() @ConflictDetectionField() conflict_detection?: ConflictDetection;
  @MayBeLeftOut() @HeuristicThresholdField() heuristic_threshold?: number;
}

import type { Scorer } from './scorer.js';
import { betterInformed } from './scorers/better-informed.scorer.js';
import { earlierLamport } from './scorers/earlier-lamport.scorer.js';
import { earlierWallClock } from './scorers/earlier-wall-clock.scorer.js';
import { knewTheOther } from './scorers/knew-the-other.scorer.js';
import { sameDevice } from './scorers/same-device.scorer.js';

/** Which of two came first. What is certain is asked first, for it ends the matter. */
export const ORDER_SCORERS: readonly Scorer[] = [knewTheOther, sameDevice, earlierLamport, earlierWallClock];

/**
 * Which of two claims to the same stock takes precedence: the one that came first, or that was made knowing more of what
 * was left. How much a device knew says nothing of the time, so the order of things leaves it out.
 */
export const CLAIM_SCORERS: readonly Scorer[] = [...ORDER_SCORERS, betterInformed];

/** Which concurrent entries the conflict log is told of: those that contend, or every pair on a product. */
export const CONFLICT_DETECTIONS = ['CONTENTION', 'CONCURRENCY'] as const;
export type ConflictDetection = (typeof CONFLICT_DETECTIONS)[number];

/** Bounds of a confidence, and so of a threshold for it. */
export const CONFIDENCE_MIN = 0;
export const CONFIDENCE_MAX = 1;

/** What a business may choose for itself. */
export interface TenantSettings {
  readonly conflictDetection: ConflictDetection;
  /** From 0 to 1: the confidence from which the heuristics settle a conflict by themselves. */
  readonly heuristicThreshold: number;
}

/** What of it is to be another; undefined stays as it is. */
export type SettingsChange = { readonly [Name in keyof TenantSettings]?: TenantSettings[Name] | undefined };

export const DEFAULT_SETTINGS: TenantSettings = { conflictDetection: 'CONTENTION', heuristicThreshold: 0.8 };

/**
 * What a tenant's row says, with the defaults where it says nothing that can be understood: another version of the
 * service may have written it, and a setting gone wrong is no reason to refuse a sale.
 */
export function settingsOf(stored: Readonly<Record<string, unknown>>): TenantSettings {
  const { conflict_detection: detection, heuristic_threshold: threshold } = stored;
  const known = CONFLICT_DETECTIONS.find((one) => one === detection);
  const isThreshold = typeof threshold === 'number' && threshold >= CONFIDENCE_MIN && threshold <= CONFIDENCE_MAX;
  return {
    conflictDetection: known ?? DEFAULT_SETTINGS.conflictDetection,
    heuristicThreshold: isThreshold ? threshold : DEFAULT_SETTINGS.heuristicThreshold,
  };
}

/** A change as a tenant's row keeps it, to be merged into what is there. It has only what changes. */
export function toStored(change: SettingsChange): Readonly<Record<string, unknown>> {
  return {
    ...(change.conflictDetection !== undefined && { conflict_detection: change.conflictDetection }),
    ...(change.heuristicThreshold !== undefined && { heuristic_threshold: change.heuristicThreshold }),
  };
}

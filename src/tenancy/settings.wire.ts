import type { SettingsChange, TenantSettings } from './domain/tenant-settings.js';
import type { SettingsChangeDto, SettingsDto } from './settings.dto.js';

export function toSettingsWire({ conflictDetection, heuristicThreshold }: TenantSettings): SettingsDto {
  return { conflict_detection: conflictDetection, heuristic_threshold: heuristicThreshold };
}

export function toSettingsChange(body: SettingsChangeDto): SettingsChange {
  return { conflictDetection: body.conflict_detection, heuristicThreshold: body.heuristic_threshold };
}

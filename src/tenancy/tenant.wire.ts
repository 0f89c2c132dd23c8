import { ProblemError } from '../problems/problem.js';
import { readWire } from '../wire/read-wire.js';
import type { Tenant, TenantChange } from './domain/tenant.js';
import { SettingsChangeDto } from './settings.dto.js';
import { toSettingsChange, toSettingsWire } from './settings.wire.js';
import type { TenantChangeDto, TenantDto } from './tenant.dto.js';

export function toTenantWire(tenant: Tenant): TenantDto {
  return {
    id: tenant.id,
    name: tenant.name,
    status: tenant.status,
    settings: toSettingsWire(tenant.settings),
    created_at: tenant.createdAt.toISOString(),
  };
}

/** @throws ProblemError VALIDATION if a setting is not valid. */
export function toTenantChange({ name, status, settings }: TenantChangeDto): TenantChange {
  const reading = readWire(SettingsChangeDto, settings ?? {}, 'settings');
  if (!reading.ok) throw new ProblemError('VALIDATION', { errors: reading.errors });
  return { name, status, settings: toSettingsChange(reading.value) };
}

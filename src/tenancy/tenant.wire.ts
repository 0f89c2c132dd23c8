import type { Tenant } from './domain/tenant.js';
import { toSettingsWire } from './settings.wire.js';
import type { TenantDto } from './tenant.dto.js';

export function toTenantWire(tenant: Tenant): TenantDto {
  return {
    id: tenant.id,
    name: tenant.name,
    status: tenant.status,
    settings: toSettingsWire(tenant.settings),
    created_at: tenant.createdAt.toISOString(),
  };
}

import { Injectable } from '@nestjs/common';
import { TenantDatabase } from '../database/tenant-database.js';
import type { SettingsChange, TenantSettings } from './domain/tenant-settings.js';
import { TenantRepository } from './persistence/tenant.repository.js';

/** What a business chooses for itself. Read anew by whatever depends on it, so a change needs no announcing. */
@Injectable()
export class SettingsService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly tenants: TenantRepository,
  ) {}

  get(tenantId: string): Promise<TenantSettings> {
    return this.database.transaction(tenantId, (tx) => this.tenants.settingsOf(tx));
  }

  /** @returns all settings, as they are after the change. */
  change(tenantId: string, change: SettingsChange): Promise<TenantSettings> {
    return this.database.transaction(tenantId, (tx) => this.tenants.updateSettings(tx, change));
  }
}

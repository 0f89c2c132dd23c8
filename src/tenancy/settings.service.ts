import { Injectable } from '@nestjs/common';
import { TenantDatabase } from '../database/tenant-database.js';
import type { TenantActor } from './audit/domain/actor.js';
import { AuditTrail } from './audit/persistence/audit-trail.js';
import { assertOpen } from './admission.js';
import { entriesOf } from './domain/tenant.js';
import type { SettingsChange, TenantSettings } from './domain/tenant-settings.js';
import { TenantRepository } from './persistence/tenant.repository.js';

/** What a business chooses for itself. Read anew by whatever depends on it, so a change needs no announcing. */
@Injectable()
export class SettingsService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly tenants: TenantRepository,
    private readonly audit: AuditTrail,
  ) {}

  get(tenantId: string): Promise<TenantSettings> {
    return this.database.transaction(tenantId, (tx) => this.tenants.settingsOf(tx));
  }

  /** @returns all settings, as they are after the change. */
  change(actor: TenantActor, change: SettingsChange): Promise<TenantSettings> {
    return this.database.transaction(actor.tenantId, async (tx) => {
      const before = await this.tenants.lock(tx);
      const settings = await this.tenants.updateSettings(tx, change);
      assertOpen(before?.status);
      if (before) await this.audit.record(tx, actor, ...entriesOf(before, { ...before, settings }));
      return settings;
    });
  }
}

import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Tenant, TenantStatus } from '../domain/tenant.js';
import { settingsOf } from '../domain/tenant-settings.js';

/** A business. Row-level security lets it see itself, and the operator see all. */
@Entity({ name: 'tenants' })
export class TenantEntity {
  @PrimaryColumn('uuid') id!: string;
  @Column('text') name!: string;
  @Column('text') status!: TenantStatus;
  @Column('jsonb') settings!: Record<string, unknown>;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
}

export function toTenant({ id, name, status, settings, createdAt }: TenantEntity): Tenant {
  return { id, name, status, settings: settingsOf(settings), createdAt };
}

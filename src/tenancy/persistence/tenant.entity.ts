import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { TenantStatus } from '../domain/tenant.js';

/** A business. Row-level security lets it see itself, and the operator see all. */
@Entity({ name: 'tenants' })
export class TenantEntity {
  @PrimaryColumn('uuid') id!: string;
  @Column('text') name!: string;
  @Column('text') status!: TenantStatus;
  @Column('jsonb') settings!: Record<string, unknown>;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
}

import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { DeviceType } from '../domain/device-type.js';

/** An enrolled device. Never deleted: its log entries outlive its revocation, and so does its name. */
@Entity({ name: 'devices' })
export class DeviceEntity {
  @PrimaryColumn('uuid', { name: 'tenant_id' }) tenantId!: string;
  @PrimaryColumn('uuid') id!: string;
  @Column('text') name!: string;
  @Column('text', { name: 'device_type' }) deviceType!: DeviceType;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'revoked_at', nullable: true }) revokedAt!: Date | null;
}

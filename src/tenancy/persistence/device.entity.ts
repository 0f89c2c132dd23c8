import { Column, Entity, PrimaryColumn } from 'typeorm';
import { safeInteger } from '../../database/safe-integer.js';
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
  @Column('timestamptz', { name: 'last_seen_at', nullable: true }) lastSeenAt!: Date | null;
  @Column('bigint', { name: 'last_pushed_lamport', nullable: true, transformer: safeInteger }) lastPushedLamport!:
    number | null;
  @Column('bigint', { name: 'last_pulled_lamport', nullable: true, transformer: safeInteger }) lastPulledLamport!:
    number | null;
  @Column('bigint', { name: 'clock_skew_ms', nullable: true, transformer: safeInteger }) clockSkewMs!: number | null;
  @Column('timestamptz', { name: 'clock_reused_at', nullable: true }) clockReusedAt!: Date | null;
}

import { toDeviceIdentityWire } from '../../tenancy/device.wire.js';
import { type Device, lagOf } from '../../tenancy/domain/device.js';
import type { DeviceList } from '../domain/device-list.js';
import type { DeviceDto, DeviceListDto } from './device-list.dto.js';

export function toDeviceListWire(list: DeviceList): DeviceListDto {
  return { devices: list.devices.map((device) => toDeviceWire(device, list)), server_lamport: list.serverLamport };
}

function toDeviceWire(device: Device, { serverLamport, pendingConflicts }: DeviceList): DeviceDto {
  return {
    ...toDeviceIdentityWire(device),
    created_at: device.createdAt.toISOString(),
    revoked_at: device.revokedAt?.toISOString() ?? null,
    last_seen_at: device.lastSeenAt?.toISOString() ?? null,
    last_pushed_lamport: device.lastPushedLamport,
    last_pulled_lamport: device.lastPulledLamport,
    lag: lagOf(device, serverLamport),
    clock_skew_ms: device.clockSkewMs,
    clock_reused: device.clockReusedAt !== null,
    clock_reused_at: device.clockReusedAt?.toISOString() ?? null,
    pending_conflicts: pendingConflicts.get(device.id) ?? 0,
  };
}

import type { DeviceDto, DeviceListDto, EnrolledDeviceDto } from './device.dto.js';
import { type Device, type DeviceList, type Enrolment, lagOf } from './domain/device.js';

export function toDeviceListWire({ devices, serverLamport }: DeviceList): DeviceListDto {
  return { devices: devices.map((device) => toDeviceWire(device, serverLamport)), server_lamport: serverLamport };
}

function toDeviceWire(device: Device, serverLamport: number): DeviceDto {
  return {
    id: device.id,
    name: device.name,
    device_type: device.deviceType,
    created_at: device.createdAt.toISOString(),
    revoked_at: device.revokedAt?.toISOString() ?? null,
    last_seen_at: device.lastSeenAt?.toISOString() ?? null,
    last_pushed_lamport: device.lastPushedLamport,
    last_pulled_lamport: device.lastPulledLamport,
    lag: lagOf(device, serverLamport),
    clock_skew_ms: device.clockSkewMs,
    clock_reused: device.clockReusedAt !== null,
    clock_reused_at: device.clockReusedAt?.toISOString() ?? null,
  };
}

export function toEnrolledDeviceWire({ id, name, deviceType, token }: Enrolment): EnrolledDeviceDto {
  return { id, name, device_type: deviceType, token };
}

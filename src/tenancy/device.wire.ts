import type { DeviceDto, EnrolledDeviceDto } from './device.dto.js';
import type { Device, Enrolment } from './domain/device.js';

export function toDeviceWire(device: Device): DeviceDto {
  return {
    id: device.id,
    name: device.name,
    device_type: device.deviceType,
    created_at: device.createdAt.toISOString(),
    revoked_at: device.revokedAt?.toISOString() ?? null,
  };
}

export function toEnrolledDeviceWire({ id, name, deviceType, token }: Enrolment): EnrolledDeviceDto {
  return { id, name, device_type: deviceType, token };
}

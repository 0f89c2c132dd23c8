import type { DeviceChangeDto, DeviceIdentityDto, EnrolledDeviceDto } from './device.dto.js';
import type { DeviceChange, DeviceIdentity, Enrolment } from './domain/device.js';

export function toDeviceIdentityWire({ id, name, deviceType }: DeviceIdentity): DeviceIdentityDto {
  return { id, name, device_type: deviceType };
}

export function toEnrolledDeviceWire({ token, lamport, ...device }: Enrolment): EnrolledDeviceDto {
  return { ...toDeviceIdentityWire(device), token, lamport };
}

export function toDeviceChange({ name, device_type: deviceType }: DeviceChangeDto): DeviceChange {
  return { name, deviceType };
}

import type { DeviceType } from './device-type.js';

/** A device that was enrolled, and may have been revoked since. */
export interface Device {
  readonly id: string;
  readonly name: string;
  readonly deviceType: DeviceType;
  readonly createdAt: Date;
  readonly revokedAt: Date | null;
}

/** What an admin is told of a new device, once. */
export interface Enrolment {
  readonly id: string;
  readonly name: string;
  readonly deviceType: DeviceType;
  /** null if an identity provider signs the tokens. */
  readonly token: string | null;
}

import type { Device } from '../../tenancy/domain/device.js';

/** The devices of a business, and how far each is behind, in the log and in what is to be decided. */
export interface DeviceList {
  readonly devices: readonly Device[];
  readonly serverLamport: number;
  /** By device id: conflicts that wait for a decision and have a side of it; missing: none. */
  readonly pendingConflicts: ReadonlyMap<string, number>;
}

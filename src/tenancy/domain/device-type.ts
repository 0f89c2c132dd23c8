export const DEVICE_TYPES = ['WEB', 'MOBILE', 'DESKTOP'] as const;
export type DeviceType = (typeof DEVICE_TYPES)[number];

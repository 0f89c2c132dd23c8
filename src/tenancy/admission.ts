import { ProblemError } from '../problems/problem.js';
import { type DeviceAccess, isReplaced } from './domain/device.js';
import type { DevicePrincipal, TenantPrincipal } from './domain/principal.js';
import type { TenantStatus } from './domain/tenant.js';

/** Whether a token's bearer may enter; undefined parts are not there. */
export interface AccessState {
  readonly tenantStatus: TenantStatus | undefined;
  readonly device: DeviceAccess | undefined;
}

/*
 * The guards ask when a request comes. Whatever it then waits for may take longer than its bearer is trusted, so what writes
 * asks again, in its transaction and after it has waited.
 */

/** @throws ProblemError UNAUTHENTICATED, TENANT_SUSPENDED, DEVICE_UNKNOWN, DEVICE_REVOKED or TOKEN_REVOKED. */
export function assertAdmitted(principal: TenantPrincipal, { tenantStatus, device }: AccessState): void {
  // Of a tenant that is suspended a device learns, all the same, that it was revoked.
  if (principal.role === 'device' && isThere(tenantStatus)) assertDeviceAdmitted(principal, device);
  assertOpen(tenantStatus);
}

/** What `assertAdmitted` throws; undefined if the bearer may enter. */
export function refusalOf(principal: TenantPrincipal, state: AccessState): ProblemError | undefined {
  try {
    assertAdmitted(principal, state);
    return undefined;
  } catch (error) {
    if (error instanceof ProblemError) return error;
    throw error;
  }
}

/** @throws ProblemError DEVICE_UNKNOWN, DEVICE_REVOKED or TOKEN_REVOKED. */
export function assertDeviceAdmitted({ tokenIssuedAt }: DevicePrincipal, device: DeviceAccess | undefined): void {
  if (!device) throw new ProblemError('DEVICE_UNKNOWN');
  if (device.revoked) throw new ProblemError('DEVICE_REVOKED');
  if (isReplaced(tokenIssuedAt, device)) throw new ProblemError('TOKEN_REVOKED');
}

/** For people, of whom nobody is revoked. @throws ProblemError UNAUTHENTICATED or TENANT_SUSPENDED */
export function assertOpen(tenantStatus: TenantStatus | undefined): void {
  if (!isThere(tenantStatus)) throw new ProblemError('UNAUTHENTICATED', { detail: 'The token is not valid.' });
  if (tenantStatus !== 'ACTIVE') throw new ProblemError('TENANT_SUSPENDED');
}

function isThere(tenantStatus: TenantStatus | undefined): boolean {
  return tenantStatus !== undefined && tenantStatus !== 'DELETED';
}

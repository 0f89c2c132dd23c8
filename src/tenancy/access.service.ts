import { Injectable } from '@nestjs/common';
import { TenantDatabase } from '../database/tenant-database.js';
import { ProblemError } from '../problems/problem.js';
import type { TenantPrincipal } from './domain/principal.js';
import { TenantRepository } from './persistence/tenant.repository.js';

/** Whether the bearer of a valid token may enter now: asked of the database on every request, so revocation is immediate. */
@Injectable()
export class AccessService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly tenants: TenantRepository,
  ) {}

  /** @throws ProblemError UNAUTHENTICATED, TENANT_SUSPENDED, DEVICE_UNKNOWN or DEVICE_REVOKED. */
  async admit(principal: TenantPrincipal): Promise<void> {
    const deviceId = principal.role === 'device' ? principal.deviceId : null;
    const state = await this.database.transaction(principal.tenantId, (tx) => this.tenants.accessState(tx, deviceId));
    if (state.tenantStatus === undefined)
      throw new ProblemError('UNAUTHENTICATED', { detail: 'The token is not valid.' });
    if (deviceId !== null && !state.device) throw new ProblemError('DEVICE_UNKNOWN');
    if (state.device?.revoked) throw new ProblemError('DEVICE_REVOKED');
    if (state.tenantStatus === 'SUSPENDED') throw new ProblemError('TENANT_SUSPENDED');
  }
}

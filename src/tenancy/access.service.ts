import { Injectable } from '@nestjs/common';
import { TenantDatabase } from '../database/tenant-database.js';
import { ProblemError } from '../problems/problem.js';
import { isReplaced } from './domain/device.js';
import type { TenantPrincipal } from './domain/principal.js';
import { TenantRepository } from './persistence/tenant.repository.js';

/** Whether the bearer of a valid token may enter now: asked of the database on every request, so revocation is immediate. */
@Injectable()
export class AccessService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly tenants: TenantRepository,
  ) {}

  /** @throws ProblemError UNAUTHENTICATED, TENANT_SUSPENDED, DEVICE_UNKNOWN, DEVICE_REVOKED or TOKEN_REVOKED. */
  async admit(principal: TenantPrincipal): Promise<void> {
    const deviceId = principal.role === 'device' ? principal.deviceId : null;
    const { tenantStatus, device } = await this.database.transaction(principal.tenantId, (tx) =>
      this.tenants.accessState(tx, deviceId),
    );
    if (tenantStatus === undefined) throw new ProblemError('UNAUTHENTICATED', { detail: 'The token is not valid.' });
    if (principal.role === 'device') {
      if (!device) throw new ProblemError('DEVICE_UNKNOWN');
      if (device.revoked) throw new ProblemError('DEVICE_REVOKED');
      if (isReplaced(principal.tokenIssuedAt, device)) throw new ProblemError('TOKEN_REVOKED');
    }
    if (tenantStatus === 'SUSPENDED') throw new ProblemError('TENANT_SUSPENDED');
  }
}

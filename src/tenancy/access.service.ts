import { Injectable } from '@nestjs/common';
import { TenantDatabase } from '../database/tenant-database.js';
import { ProblemError } from '../problems/problem.js';
import { assertAdmitted } from './admission.js';
import { hasExpired, type Principal } from './domain/principal.js';
import { TenantRepository } from './persistence/tenant.repository.js';

/** Who may no longer enter goes on receiving for no longer than this. */
const READMIT_EVERY_MS = 1_000;

/** Whether the bearer of a valid token may enter now: asked of the database on every request, so revocation is immediate. */
@Injectable()
export class AccessService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly tenants: TenantRepository,
  ) {}

  /** @throws ProblemError UNAUTHENTICATED, TENANT_SUSPENDED, DEVICE_UNKNOWN, DEVICE_REVOKED or TOKEN_REVOKED. */
  async admit(principal: Principal): Promise<void> {
    if (hasExpired(principal, Date.now()))
      throw new ProblemError('UNAUTHENTICATED', { detail: 'The token has expired.' });
    if (principal.role === 'operator') return;
    const deviceId = principal.role === 'device' ? principal.deviceId : null;
    const state = await this.database.flight(principal.tenantId, (tx) => this.tenants.accessState(tx, deviceId), {
      keepPlans: true,
    });
    assertAdmitted(principal, state);
  }

  /**
   * For whoever receives for long: runs `work`, and calls `cutOff`, with the reason, once they may no longer enter. Asks on
   * a connection of its own: in a snapshot a revocation is never seen.
   */
  async whileAdmitted<T>(
    principal: Principal,
    cutOff: (reason: ProblemError) => void,
    work: () => Promise<T>,
  ): Promise<T> {
    let asking = false;
    const timer = setInterval(() => {
      if (asking) return; // the pool has no connection to spare: the question waits, and others must not queue behind it
      asking = true;
      void this.admit(principal)
        .catch((error: unknown) => {
          // Only a verdict counts. That nobody could be asked is none, and the next second asks again.
          if (error instanceof ProblemError) cutOff(error);
        })
        .finally(() => {
          asking = false;
        });
    }, READMIT_EVERY_MS);
    try {
      return await work();
    } finally {
      clearInterval(timer);
    }
  }
}

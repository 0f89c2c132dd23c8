import { Injectable } from '@nestjs/common';
import { TenantDatabase } from '../database/tenant-database.js';
import { TenantRepository } from '../tenancy/persistence/tenant.repository.js';
import { ConflictRepository } from './persistence/conflict.repository.js';
import { ResolutionService, type Settled } from './resolution.service.js';

const NOTHING: Settled = { settled: 0, suggested: 0, failures: [] };

/** What became of a look at every tenant's conflicts. */
export interface ConflictSweep extends Pick<Settled, 'settled' | 'suggested'> {
  /** Conflicts that could not be looked at, and tenants, with no conflict named; the next sweep looks again. */
  readonly failures: readonly {
    readonly tenantId: string;
    readonly conflictId: string | null;
    readonly error: unknown;
  }[];
}

/** Brings conflicts that wait for the heuristics before them. */
@Injectable()
export class ConflictSweepService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly tenants: TenantRepository,
    private readonly conflicts: ConflictRepository,
    private readonly resolutions: ResolutionService,
  ) {}

  /**
   * All that wait in the tenant. Doing it again, or twice at once, changes nothing. There is nothing to do for a tenant
   * that is gone, and what a suspended one has waits until it is resumed.
   */
  async settle(tenantId: string): Promise<Settled> {
    return (await this.hasWork(tenantId)) ? this.resolutions.settleAwaiting(tenantId) : NOTHING;
  }

  /** All that wait in all active tenants, one after another: for what no job of its own was there for. */
  async settleAll(): Promise<ConflictSweep> {
    const active = await this.database.platformTransaction((tx) => this.tenants.idsOf(tx, 'ACTIVE'));
    let [settled, suggested] = [0, 0];
    const failures: ConflictSweep['failures'][number][] = [];
    for (const tenantId of active) {
      try {
        const done = await this.settle(tenantId);
        settled += done.settled;
        suggested += done.suggested;
        failures.push(...done.failures.map((failure) => ({ tenantId, ...failure })));
      } catch (error) {
        failures.push({ tenantId, conflictId: null, error }); // whose clock is stuck keeps none of the others waiting
      }
    }
    return { settled, suggested, failures };
  }

  /** Mostly nothing waits. That is seen without the clock, for which pushes wait. */
  private hasWork(tenantId: string): Promise<boolean> {
    return this.database.transaction(tenantId, async (tx) => {
      if ((await this.conflicts.awaiting(tx, 'HEURISTIC', 1)).length === 0) return false;
      const { tenantStatus } = (await this.tenants.accessStates(tx, []))(null);
      return tenantStatus === 'ACTIVE';
    });
  }
}

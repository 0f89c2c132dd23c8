import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { TenantDatabase } from '../database/tenant-database.js';
import { ProblemError } from '../problems/problem.js';
import { TenantSignals } from '../signals/tenant-signals.js';
import type { Actor } from './audit/domain/actor.js';
import { AuditTrail } from './audit/persistence/audit-trail.js';
import { entriesOf, isKept, type Tenant, type TenantChange } from './domain/tenant.js';
import { DEFAULT_SETTINGS } from './domain/tenant-settings.js';
import { TenantRepository } from './persistence/tenant.repository.js';
import { TenantScheduler } from './tenant-scheduler.js';

/** What the platform's operator does with tenants. */
@Injectable()
export class TenantsService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly tenants: TenantRepository,
    private readonly audit: AuditTrail,
    private readonly signals: TenantSignals,
    private readonly scheduler: TenantScheduler,
  ) {}

  /**
   * Creates an active tenant with an empty log.
   * @throws ProblemError TENANT_EXISTS if `id` is taken, or was.
   */
  async create(actor: Actor, name: string, id: string = randomUUID()): Promise<Tenant> {
    const createdAt = new Date();
    await this.database.transaction(id, async (tx) => {
      if (!(await this.tenants.create(tx, { name, createdAt }))) throw new ProblemError('TENANT_EXISTS');
      const changes = { name: { before: null, after: name } };
      await this.audit.record(tx, actor, { action: 'tenant.created', changes });
    });
    return { id, name, status: 'ACTIVE', settings: DEFAULT_SETTINGS, createdAt };
  }

  /** All tenants but those that are deleted, the oldest first. */
  list(): Promise<Tenant[]> {
    return this.database.platformTransaction((tx) => this.tenants.list(tx));
  }

  /** Also one that is deleted. @throws ProblemError NOT_FOUND */
  async get(id: string): Promise<Tenant> {
    const tenant = await this.database.platformTransaction((tx) => this.tenants.find(tx, id));
    if (tenant === null) throw new ProblemError('NOT_FOUND');
    return tenant;
  }

  /**
   * Renames, suspends or resumes a tenant, or changes its settings. What is so already changes nothing.
   * @throws ProblemError NOT_FOUND or TENANT_DELETED
   */
  async change(actor: Actor, id: string, change: TenantChange): Promise<Tenant> {
    const { before, after } = await this.database.transaction(id, async (tx) => {
      const found = await this.tenants.lock(tx);
      if (found === null) throw new ProblemError('NOT_FOUND');
      if (!isKept(found)) throw new ProblemError('TENANT_DELETED');
      const { name = found.name, status = found.status } = change;
      await this.tenants.save(tx, { name, status });
      const changed = { ...found, name, status, settings: await this.tenants.updateSettings(tx, change.settings) };
      await this.audit.record(tx, actor, ...entriesOf(found, changed));
      return { before: found, after: changed };
    });
    if (before.status !== after.status) this.signals.announceAccessChange(id); // its open streams end
    return after;
  }

  /**
   * Orders the deletion of a suspended tenant. Workers do it, step by step; ordering it again wakes them.
   * @param confirmation the tenant's name, so that nobody deletes the wrong one by its id
   * @throws ProblemError NOT_FOUND, VALIDATION or TENANT_NOT_SUSPENDED
   */
  async orderDeletion(actor: Actor, id: string, confirmation: string): Promise<Tenant> {
    const ordered = await this.database.transaction(id, async (tx) => {
      const found = await this.tenants.lock(tx);
      if (found === null) throw new ProblemError('NOT_FOUND');
      if (confirmation !== found.name) {
        const message = 'must be the name of the tenant, to the letter';
        throw new ProblemError('VALIDATION', { errors: [{ path: 'confirm', code: 'EQUALS', message }] });
      }
      if (found.status === 'ACTIVE') throw new ProblemError('TENANT_NOT_SUSPENDED');
      if (found.status !== 'SUSPENDED') return found;
      const doomed: Tenant = { ...found, status: 'DELETING' };
      await this.tenants.save(tx, doomed);
      await this.audit.record(tx, actor, ...entriesOf(found, doomed));
      return doomed;
    });
    if (ordered.status === 'DELETING') this.scheduler.erase(id);
    return ordered;
  }
}

import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { TenantDatabase } from '../database/tenant-database.js';
import { ProblemError } from '../problems/problem.js';
import type { Tenant } from './domain/tenant.js';
import { DEFAULT_SETTINGS } from './domain/tenant-settings.js';
import { TenantRepository } from './persistence/tenant.repository.js';

/** What the platform's operator does with tenants. */
@Injectable()
export class TenantsService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly tenants: TenantRepository,
  ) {}

  /**
   * Creates an active tenant with an empty log.
   * @throws ProblemError TENANT_EXISTS if `id` is taken.
   */
  async create(name: string, id: string = randomUUID()): Promise<Tenant> {
    const createdAt = new Date();
    const created = await this.database.transaction(id, (tx) => this.tenants.create(tx, { name, createdAt }));
    if (!created) throw new ProblemError('TENANT_EXISTS');
    return { id, name, status: 'ACTIVE', settings: DEFAULT_SETTINGS, createdAt };
  }

  /** All tenants, the oldest first. */
  list(): Promise<Tenant[]> {
    return this.database.platformTransaction((tx) => this.tenants.list(tx));
  }

  /** @throws ProblemError NOT_FOUND */
  async get(id: string): Promise<Tenant> {
    const tenant = await this.database.platformTransaction((tx) => this.tenants.find(tx, id));
    if (tenant === null) throw new ProblemError('NOT_FOUND');
    return tenant;
  }
}

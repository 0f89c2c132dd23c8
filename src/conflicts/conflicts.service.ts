import { Injectable } from '@nestjs/common';
import { TenantDatabase } from '../database/tenant-database.js';
import { ProblemError } from '../problems/problem.js';
import type { ConflictPage, RecordedConflict } from './domain/conflict.js';
import { type ConflictFilter, ConflictRepository } from './persistence/conflict.repository.js';

/** The conflict log, for those who read it. */
@Injectable()
export class ConflictsService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly conflicts: ConflictRepository,
  ) {}

  /** A page of the log, the newest first; `before` is the page before's `nextCursor`, null for the first. */
  list(tenantId: string, filter: ConflictFilter, before: number | null, limit: number): Promise<ConflictPage> {
    return this.database.transaction(tenantId, async (tx) => {
      // One more than asked for tells whether there is a next page.
      const found = await this.conflicts.newest(tx, filter, before, limit + 1);
      const conflicts = found.slice(0, limit);
      const nextCursor = found.length > limit ? (conflicts.at(-1)?.detectedLamport ?? null) : null;
      return { conflicts, total: await this.conflicts.count(tx, filter), nextCursor };
    });
  }

  /** @throws ProblemError NOT_FOUND */
  async get(tenantId: string, id: string): Promise<RecordedConflict> {
    const found = await this.database.transaction(tenantId, (tx) => this.conflicts.conflictsOf(tx, [id]));
    const conflict = found.get(id);
    if (!conflict) throw new ProblemError('NOT_FOUND');
    return conflict;
  }
}

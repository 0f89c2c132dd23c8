import { Injectable } from '@nestjs/common';
import type { SelectQueryBuilder } from 'typeorm';
import { toSafeInteger } from '../../database/safe-integer.js';
import type { TenantTransaction } from '../../database/tenant-database.js';
import type { RecordedConflict } from '../domain/conflict.js';
import type { ConflictCount, ConflictFilter, DetectionSpan, SettlingTime } from '../domain/conflict-log.js';
import { ConflictEntity, toConflict } from './conflict.entity.js';

/** Lamports at which conflicts were detected: those after `after`, up to `upTo`. null: no bound. */
export interface LamportSpan {
  readonly after: number | null;
  readonly upTo: number | null;
}

interface LamportRow {
  readonly lamport: string | null;
}

type CountRow = Omit<ConflictCount, 'detectedAt'> & { readonly detected_at: Date };

interface TimeRow {
  readonly method: SettlingTime['method'];
  readonly count: number;
  readonly mean_seconds: number;
  readonly median_seconds: number;
}

/**
 * Lamport of the last conflict detected before the time $2, 0 before the first. Time never runs backwards along the log,
 * so this halves the range until one lamport is left (as in the ledger), and no index on times is needed.
 */
const LAST_DETECTED_BEFORE = `
  WITH RECURSIVE search (low, high) AS (
    (SELECT 0::bigint, detected_lamport FROM sync_conflicts WHERE tenant_id = $1 ORDER BY detected_lamport DESC LIMIT 1)
    UNION ALL
    SELECT CASE WHEN conflict.detected_at < $2 THEN conflict.detected_lamport ELSE search.low END,
           CASE WHEN conflict.detected_at < $2 THEN search.high ELSE (search.low + search.high + 1) / 2 - 1 END
    FROM search, LATERAL (
      SELECT detected_lamport, detected_at FROM sync_conflicts
      WHERE tenant_id = $1 AND detected_lamport >= (search.low + search.high + 1) / 2
      ORDER BY detected_lamport LIMIT 1) AS conflict
    WHERE search.low < search.high)
  SELECT max(low) AS lamport FROM search`;

const IN_SPAN = `tenant_id = $1
  AND ($2::bigint IS NULL OR detected_lamport > $2) AND ($3::bigint IS NULL OR detected_lamport <= $3)`;

/** Reads the conflict log as people look at it. */
@Injectable()
export class ConflictListingRepository {
  /** Where in the log the span of time is. */
  async spanOf(tx: TenantTransaction, { from, to }: DetectionSpan): Promise<LamportSpan> {
    return { after: await this.lastBefore(tx, from), upTo: await this.lastBefore(tx, to) };
  }

  /** At most `limit` conflicts that were detected before `before` (null: from the newest on), the newest first. */
  async page(
    tx: TenantTransaction,
    filter: ConflictFilter,
    span: LamportSpan,
    before: number | null,
    limit: number,
  ): Promise<RecordedConflict[]> {
    // First which, in an index alone, then those rows: a row has some 2 kB, and there may be none among 100,000.
    const found = this.matching(tx, filter, span)
      .select('listed.detected_lamport')
      .orderBy('listed.detected_lamport', 'DESC')
      .limit(limit);
    if (before !== null) found.andWhere('listed.detected_lamport < :before', { before });
    const rows = await tx.manager
      .createQueryBuilder(ConflictEntity, 'conflict')
      .where('conflict.tenant_id = :tenantId')
      .andWhere(`conflict.detected_lamport = ANY (ARRAY(${found.getQuery()}))`)
      .setParameters(found.getParameters())
      .orderBy('conflict.detected_lamport', 'DESC')
      .getMany();
    return rows.map(toConflict);
  }

  count(tx: TenantTransaction, filter: ConflictFilter, span: LamportSpan): Promise<number> {
    return this.matching(tx, filter, span).getCount();
  }

  /** How many there are of each sort, in no order; a handful of rows, whatever the number of conflicts. */
  async counts(tx: TenantTransaction, { after, upTo }: LamportSpan): Promise<ConflictCount[]> {
    const rows = await tx.manager.query<CountRow[]>(
      `SELECT kind, status, awaits, resolution_method AS method, verdict,
              count(*)::integer AS count, min(detected_at) AS detected_at,
              count(*) FILTER (WHERE resolution_method = 'MANUAL' AND suggestion IS NOT NULL)::integer AS suggested,
              count(*) FILTER (WHERE resolution_method = 'MANUAL' AND suggestion ->> 'verdict' = verdict)::integer
                AS agreed
       FROM sync_conflicts WHERE ${IN_SPAN}
       GROUP BY kind, status, awaits, resolution_method, verdict`,
      [tx.tenantId, after, upTo],
    );
    return rows.map(({ detected_at: detectedAt, ...row }) => ({ ...row, detectedAt }));
  }

  /** By device: how many wait for a decision that have a side of it. */
  async pendingByDevice(tx: TenantTransaction): Promise<Map<string, number>> {
    const rows = await tx.manager.query<{ device_id: string; count: number }[]>(
      `SELECT side.device_id, count(*)::integer AS count
       FROM sync_conflicts, LATERAL (
         SELECT a_device_id AS device_id UNION SELECT b_device_id) AS side -- a device may compete with itself
       WHERE tenant_id = $1 AND awaits IS NOT NULL
       GROUP BY side.device_id`,
      [tx.tenantId],
    );
    return new Map(rows.map((row) => [row.device_id, row.count]));
  }

  /** How long it took to settle those that are, by who did. */
  async settlingTimes(tx: TenantTransaction, { after, upTo }: LamportSpan): Promise<SettlingTime[]> {
    const rows = await tx.manager.query<TimeRow[]>(
      `SELECT method, count(*)::integer AS count, avg(seconds) AS mean_seconds,
              percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS median_seconds
       FROM (SELECT resolution_method AS method, extract(epoch FROM resolved_at - detected_at)::float8 AS seconds
             FROM sync_conflicts WHERE ${IN_SPAN} AND status <> 'PENDING') AS settled
       GROUP BY method`,
      [tx.tenantId, after, upTo],
    );
    return rows.map(({ method, count, mean_seconds: meanSeconds, median_seconds: medianSeconds }) => ({
      ...{ method, count, meanSeconds, medianSeconds },
    }));
  }

  private async lastBefore(tx: TenantTransaction, time: Date | null): Promise<number | null> {
    if (time === null) return null;
    const [row] = await tx.manager.query<LamportRow[]>(LAST_DETECTED_BEFORE, [tx.tenantId, time]);
    return row?.lamport == null ? 0 : toSafeInteger(row.lamport);
  }

  private matching(
    tx: TenantTransaction,
    { status, awaits, kind, method, productId, deviceId }: ConflictFilter,
    { after, upTo }: LamportSpan,
  ): SelectQueryBuilder<ConflictEntity> {
    const query = tx.manager
      .createQueryBuilder(ConflictEntity, 'listed')
      .where('listed.tenant_id = :tenantId', { tenantId: tx.tenantId });
    if (after !== null) query.andWhere('listed.detected_lamport > :after', { after });
    if (upTo !== null) query.andWhere('listed.detected_lamport <= :upTo', { upTo });
    if (status !== null) query.andWhere('listed.status = :status', { status });
    if (status === 'PENDING') query.andWhere('listed.awaits IS NOT NULL'); // the same, and has the index
    if (awaits !== null) query.andWhere('listed.awaits = :awaits', { awaits });
    if (kind !== null) query.andWhere('listed.kind = :kind', { kind });
    if (method !== null) query.andWhere('listed.resolution_method = :method', { method });
    if (productId !== null) {
      query.andWhere('listed.entity_id = :productId', { productId }).andWhere(`listed.entity <> 'PAYMENT'`);
    }
    if (deviceId !== null) {
      query.andWhere('(listed.a_device_id = :deviceId OR listed.b_device_id = :deviceId)', { deviceId });
    }
    return query;
  }
}

/** PostgreSQL schema of BullMQ's tables, when there is no Redis. */
export const QUEUE_SCHEMA = 'bullmq';

/** What keeps the books in order beside the requests: jobs that run on a schedule. */
export const MAINTENANCE_QUEUE = 'maintenance';

/** Reservations whose time has come, or will. */
export const RESERVATION_QUEUE = 'reservations';

/** Of RESERVATION_QUEUE: `EXPIRE_JOB` for one tenant, `RESERVATION_SWEEP_JOB` for all. */
export const EXPIRE_JOB = 'expire';
export const RESERVATION_SWEEP_JOB = 'reservation-sweep';

export interface ExpireJob {
  readonly tenantId: string;
}

/** Conflicts that wait for the heuristics. */
export const CONFLICT_QUEUE = 'conflicts';

/** Of CONFLICT_QUEUE: `SETTLE_JOB` for one tenant, `CONFLICT_SWEEP_JOB` for all. */
export const SETTLE_JOB = 'settle';
export const CONFLICT_SWEEP_JOB = 'conflict-sweep';

export interface SettleJob {
  readonly tenantId: string;
}

/** Tenants that are to be deleted. */
export const TENANT_QUEUE = 'tenants';

/** Of TENANT_QUEUE: `ERASE_JOB` for one tenant, `ERASURE_SWEEP_JOB` for all. */
export const ERASE_JOB = 'erase';
export const ERASURE_SWEEP_JOB = 'erasure-sweep';

export interface EraseJob {
  readonly tenantId: string;
}

/** Every queue there is: each has a sequence in PostgreSQL. */
export const QUEUE_NAMES = [MAINTENANCE_QUEUE, RESERVATION_QUEUE, CONFLICT_QUEUE, TENANT_QUEUE];

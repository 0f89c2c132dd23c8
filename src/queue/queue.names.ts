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

/** Every queue there is: each has a sequence in PostgreSQL. */
export const QUEUE_NAMES = [MAINTENANCE_QUEUE, RESERVATION_QUEUE];

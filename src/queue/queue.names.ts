/** PostgreSQL schema of BullMQ's tables, when there is no Redis. */
export const QUEUE_SCHEMA = 'bullmq';

/** What keeps the books in order beside the requests: jobs that run on a schedule. */
export const MAINTENANCE_QUEUE = 'maintenance';

/** Every queue there is: each has a sequence in PostgreSQL. */
export const QUEUE_NAMES = [MAINTENANCE_QUEUE];

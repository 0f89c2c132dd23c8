import type { ActorRole, Origin } from './actor.js';

/** Everything that is audited, by the thing and what became of it. The names are stored: they never change. */
export const AUDIT_ACTIONS = [
  'tenant.created',
  'tenant.renamed',
  'tenant.suspended',
  'tenant.resumed',
  'tenant.exported',
  'tenant.deletion_ordered',
  'tenant.deleted',
  'settings.changed',
  'device.enrolled',
  'device.changed',
  'device.token_replaced',
  'device.revoked',
  'device.outbox_imported',
  'payment.reconciled',
  'ledger.rebuilt',
  'conflicts.exported',
  'queue.paused',
  'queue.resumed',
  'queue.jobs_retried',
  'queue.jobs_promoted',
  'queue.jobs_cleaned',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** Stands for the platform where an entry names its business: no tenant has it. The nil UUID (RFC 9562). */
export const PLATFORM_ID = '00000000-0000-0000-0000-000000000000';

/** By field, in the wire's names: what it was and what it is; null: nothing. Never a token or another secret. */
export type Changes = Readonly<Record<string, { readonly before: unknown; readonly after: unknown }>>;

/** What was done, to be recorded in the transaction that does it. */
export interface AuditEntry {
  readonly action: AuditAction;
  /** Of the device or the payment; without it the entry is about the business as a whole. */
  readonly entityId?: string;
  readonly changes?: Changes;
}

/** An entry of the audit log. */
export interface RecordedEntry {
  readonly id: string;
  readonly tenantId: string;
  readonly at: Date;
  readonly action: AuditAction;
  readonly entityId: string | null;
  readonly changes: Changes;
  readonly role: ActorRole;
  readonly userId: string | null;
  readonly origin: Origin | null;
}

/** Which entries to look at; null: whichever. */
export interface AuditFilter {
  readonly tenantId: string | null;
  readonly action: AuditAction | null;
  readonly userId: string | null;
  /** Inclusive. */
  readonly from: Date | null;
  /** Exclusive. */
  readonly to: Date | null;
}

/** A place in the log, which is in order of time, and of ids within a moment. */
export type AuditPlace = Pick<RecordedEntry, 'at' | 'id'>;

/** The newest first. */
export interface AuditPage {
  readonly entries: readonly RecordedEntry[];
  /** Where the next page begins; null after the last. */
  readonly next: AuditPlace | null;
}

type Values = Readonly<Record<string, unknown>>;

/** The fields in which two states differ. One that is not there is null. Values are compared as JSON has them. */
export function changesBetween(before: Values, after: Values): Changes {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const compared = names.map((name) => [name, { before: before[name] ?? null, after: after[name] ?? null }] as const);
  return Object.fromEntries(
    compared.filter(([, { before, after }]) => JSON.stringify(before) !== JSON.stringify(after)),
  );
}

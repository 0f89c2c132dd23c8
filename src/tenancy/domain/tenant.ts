import { type AuditEntry, changesBetween } from '../audit/domain/audit-entry.js';
import { type SettingsChange, type TenantSettings, toStored } from './tenant-settings.js';

/** SUSPENDED is let in nowhere. DELETING is, and has, less from minute to minute. DELETED is but a name and an id. */
export const TENANT_STATUSES = ['ACTIVE', 'SUSPENDED', 'DELETING', 'DELETED'] as const;
export type TenantStatus = (typeof TENANT_STATUSES)[number];

/** Between these an operator moves a tenant to and fro; of the others there is no way back. */
export const REVERSIBLE_STATUSES = ['ACTIVE', 'SUSPENDED'] as const satisfies readonly TenantStatus[];
export type ReversibleStatus = (typeof REVERSIBLE_STATUSES)[number];

/** A business. */
export interface Tenant {
  readonly id: string;
  readonly name: string;
  readonly status: TenantStatus;
  readonly settings: TenantSettings;
  readonly createdAt: Date;
}

/** What of a tenant is to be another; undefined stays as it is. */
export interface TenantChange {
  readonly name: string | undefined;
  readonly status: ReversibleStatus | undefined;
  readonly settings: SettingsChange;
}

/** Whether its data are there, and stay. */
export function isKept({ status }: Pick<Tenant, 'status'>): boolean {
  return REVERSIBLE_STATUSES.some((reversible) => reversible === status);
}

/** What the audit log is told of a change: an entry for each thing that is another now. */
export function entriesOf(before: Tenant, after: Tenant): AuditEntry[] {
  const settings = changesBetween(toStored(before.settings), toStored(after.settings));
  return [
    ...(before.name === after.name
      ? []
      : [{ action: 'tenant.renamed' as const, changes: { name: { before: before.name, after: after.name } } }]),
    ...(before.status === after.status ? [] : [statusEntry(before.status, after.status)]),
    ...(Object.keys(settings).length === 0 ? [] : [{ action: 'settings.changed' as const, changes: settings }]),
  ];
}

function statusEntry(before: TenantStatus, after: TenantStatus): AuditEntry {
  return { action: STATUS_ACTIONS[after], changes: { status: { before, after } } };
}

const STATUS_ACTIONS = {
  ACTIVE: 'tenant.resumed',
  SUSPENDED: 'tenant.suspended',
  DELETING: 'tenant.deletion_ordered',
  DELETED: 'tenant.deleted',
} as const satisfies Record<TenantStatus, AuditEntry['action']>;

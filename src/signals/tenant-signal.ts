/** News of one tenant, for all processes. It names no entry and no person: whoever may know more asks the database. */
export type TenantSignal =
  | {
      /** The tenant's log has grown: entries up to `lamport` are committed. */
      readonly kind: 'GROWN';
      readonly tenantId: string;
      readonly lamport: number;
    }
  | {
      /** A device was revoked or its token replaced, or the tenant suspended: whoever is let in is to be asked again. */
      readonly kind: 'ACCESS_CHANGED';
      readonly tenantId: string;
    };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function encodeSignal(signal: TenantSignal): string {
  return signal.kind === 'GROWN'
    ? JSON.stringify({ tenant_id: signal.tenantId, lamport: signal.lamport })
    : JSON.stringify({ tenant_id: signal.tenantId, access: 'changed' });
}

/** @returns undefined for what is no signal: the channel is open to whoever reaches the database or Redis. */
export function parseSignal(message: string): TenantSignal | undefined {
  const fields = parseJson(message);
  if (typeof fields !== 'object' || fields === null || !('tenant_id' in fields)) return undefined;
  const { tenant_id: tenantId } = fields;
  if (typeof tenantId !== 'string' || !UUID.test(tenantId)) return undefined;
  if ('access' in fields) return fields.access === 'changed' ? { kind: 'ACCESS_CHANGED', tenantId } : undefined;
  if (!('lamport' in fields) || typeof fields.lamport !== 'number') return undefined;
  return Number.isSafeInteger(fields.lamport) && fields.lamport >= 0
    ? { kind: 'GROWN', tenantId, lamport: fields.lamport }
    : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

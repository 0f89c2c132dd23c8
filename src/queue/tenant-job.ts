import { UnrecoverableError } from 'bullmq';
import { isUUID } from 'class-validator';

/** Whose a job is, whatever somebody has put into the queue; undefined if it doesn't say. */
export function tenantIn(data: unknown): string | undefined {
  if (typeof data !== 'object' || data === null || !('tenantId' in data)) return undefined;
  return isUUID(data.tenantId, 'loose') ? (data.tenantId as string) : undefined;
}

/** Whose a job is. @throws UnrecoverableError if it doesn't say: to try again would not mend it. */
export function tenantOf({ data }: { readonly data: unknown }): string {
  const tenantId = tenantIn(data);
  if (tenantId === undefined) throw new UnrecoverableError('The job names no tenant');
  return tenantId;
}

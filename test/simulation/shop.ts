import { tokens } from '../support/service.js';
import type { PushRequest } from '../../client/src/index.js';
import type { Random } from './random.js';
import type { Servers } from './servers.js';

/** A conflict, as staff see it. */
export interface OpenConflict {
  readonly id: string;
  readonly awaits: 'HEURISTIC' | 'PERSON';
  readonly lamport_ts: number;
  readonly a: { readonly id: string };
  readonly b: { readonly id: string };
}

export type Order = 'A' | 'B' | 'BOTH' | 'NEITHER';

/** A business, with what its people do over HTTP. */
export class Shop {
  private constructor(
    private readonly servers: Servers,
    readonly tenantId: string,
    private readonly adminId: string,
  ) {}

  static async found(servers: Servers, random: Random, conflictDetection: string): Promise<Shop> {
    const operator = await tokens.sign({ role: 'operator', userId: random.uuid() });
    const tenant = (await ask(servers, operator, 'POST', '/tenants', { name: 'Shop' })) as { id: string };
    const shop = new Shop(servers, tenant.id, random.uuid());
    await shop.ask('PATCH', '/settings', { conflict_detection: conflictDetection });
    return shop;
  }

  /** Lets a device in, a new one or again. @returns its token */
  async enrol(deviceId: string): Promise<string> {
    const device = { id: deviceId, name: 'Till', device_type: 'MOBILE' };
    return ((await this.ask('POST', '/devices', device)) as { token: string }).token;
  }

  async revoke(deviceId: string): Promise<void> {
    await this.ask('DELETE', `/devices/${deviceId}`);
  }

  /** @returns the device's new token; those before are refused from now on */
  async renewToken(deviceId: string): Promise<string> {
    return ((await this.ask('POST', `/devices/${deviceId}/token`, {})) as { token: string }).token;
  }

  /** What a device exported that can't push any more. */
  async import(deviceId: string, outbox: PushRequest): Promise<void> {
    await this.ask('POST', `/devices/${deviceId}/outbox`, outbox);
  }

  /** Conflicts that are not settled. The order is that of the log: ids are new with each run. */
  async openConflicts(): Promise<readonly OpenConflict[]> {
    const answer = await this.ask('GET', '/sync/conflicts?status=PENDING&limit=100');
    const key = ({ lamport_ts, a, b }: OpenConflict): string => `${lamport_ts} ${a.id} ${b.id}`;
    return (answer as { conflicts: OpenConflict[] }).conflicts.sort((one, other) => (key(one) < key(other) ? -1 : 1));
  }

  async decide({ id, a, b }: OpenConflict, order: Order): Promise<void> {
    const winner_id = order === 'A' ? a.id : order === 'B' ? b.id : null;
    const resolution = winner_id === null ? order : 'WINNER';
    await this.ask('POST', `/sync/conflicts/${id}/resolve`, { resolution, winner_id });
  }

  /** Differences between the ledger and what it should be. */
  async verify(): Promise<readonly unknown[]> {
    const answer = await this.ask('POST', '/inventory/verify', {});
    return (answer as { differences: readonly unknown[] }).differences;
  }

  async stock(productId: string): Promise<number> {
    const answer = await this.ask('GET', `/inventory/products/${productId}/stock`);
    return (answer as { quantity?: number }).quantity ?? 0;
  }

  private async ask(method: string, path: string, body?: unknown): Promise<object> {
    // Signed anew each time: days go by.
    const token = await tokens.sign({ role: 'admin', userId: this.adminId, tenantId: this.tenantId });
    return ask(this.servers, token, method, path, body);
  }
}

/** What people ask may be refused (a device is let in twice, a conflict was settled a moment ago), but never fail. */
async function ask(servers: Servers, token: string, method: string, path: string, body?: unknown): Promise<object> {
  const headers = {
    authorization: `Bearer ${token}`,
    ...(body !== undefined && { 'content-type': 'application/json' }),
  };
  const answer = await servers.ask(path, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!answer || answer.status >= 500 || answer.status === 400)
    throw new Error(`${method} ${path} was answered ${answer?.status}: ${answer?.body}`);
  return answer.body === '' ? {} : (JSON.parse(answer.body) as object);
}

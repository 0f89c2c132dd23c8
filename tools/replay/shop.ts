import { randomUUID } from 'node:crypto';
import type { DeviceType } from '../../src/tenancy/domain/device-type.js';
import type { TokensService } from '../../src/tenancy/tokens.service.js';
import type { Differences } from './differences.js';
import type { ServiceClient } from './service-client.js';
import type { Tally } from './tally.js';
import { Till } from './till.js';

/** What the replay works with in every shop. */
export interface Replaying {
  readonly client: ServiceClient;
  readonly tokens: TokensService;
  readonly tally: Tally;
  readonly differences: Differences;
}

/** A business: a tenant of its own, with its tills. */
export class Shop {
  readonly tills: Till[] = [];

  private constructor(
    readonly name: string,
    readonly tenantId: string,
    readonly adminToken: string,
    private readonly replaying: Replaying,
  ) {}

  /** Makes the tenant, and enrols its tills. */
  static async open(replaying: Replaying, operatorToken: string, name: string, tillCount: number): Promise<Shop> {
    const { id: tenantId } = await replaying.client.createTenant(operatorToken, `Replay ${name}`);
    const adminToken = await replaying.tokens.sign({ role: 'admin', userId: randomUUID(), tenantId });
    const shop = new Shop(name, tenantId, adminToken, replaying);
    for (let number = 1; number <= tillCount; number += 1) {
      shop.tills.push(await shop.enrol(`till ${number}`, 'DESKTOP'));
    }
    return shop;
  }

  /** A new device, with nothing recorded and nothing pulled. */
  async enrol(name: string, type: DeviceType): Promise<Till> {
    const { client, tally, differences } = this.replaying;
    const fullName = `${this.name}, ${name}`;
    const { id, token } = await client.enrol(this.adminToken, { name: fullName, device_type: type });
    if (token === null) throw new Error('The service signs no device tokens: an identity provider does.');
    const device = { id, type, token, tenantId: this.tenantId, userId: randomUUID(), name: fullName };
    return new Till(device, client, tally, differences);
  }

  /** @param index from 0 */
  till(index: number): Till {
    const till = this.tills[index];
    if (till === undefined) throw new RangeError(`${this.name} has no till ${index + 1}.`);
    return till;
  }
}

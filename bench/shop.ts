import type { OperationDto, PushRequestDto } from '../src/sync/push/push.dto.js';
import type { BenchmarkEnvironment } from './environment.js';
import { fillWithEvents } from './event-log.js';
import { type Till, Workload } from './workload.js';

/** A till and the token it is known by. */
export interface EnrolledTill extends Till {
  readonly token: string;
}

/** A push as it is sent. */
export interface PreparedPush {
  readonly till: EnrolledTill;
  readonly operations: readonly OperationDto[];
  readonly body: Buffer;
}

/** A tenant: its goods, its tills, and its log. */
export class Shop {
  readonly workload = new Workload();
  private readonly tills: EnrolledTill[] = [];

  constructor(
    private readonly environment: BenchmarkEnvironment,
    readonly tenantId: string,
    private highest: number,
  ) {}

  /** Of the tenant's log, as far as anybody was told. */
  get head(): number {
    return this.highest;
  }

  /** `count` tenants that share a log of `events`, an equal part each. */
  static async open(environment: BenchmarkEnvironment, count: number, events: number): Promise<Shop[]> {
    const tenantIds: string[] = [];
    for (let number = 1; number <= count; number += 1) {
      tenantIds.push(await environment.createTenant(`Bench: shop ${number}`));
    }
    const each = Math.round(events / count);
    if (each > 0) await fillWithEvents(environment, tenantIds, each);
    return tenantIds.map((tenantId) => new Shop(environment, tenantId, each));
  }

  /** The first `count` of its tills; those that it doesn't have yet are enrolled. */
  async takeTills(count: number): Promise<readonly EnrolledTill[]> {
    while (this.tills.length < count) {
      const device = await this.environment.enrolDevice(this.tenantId, `Till ${this.tills.length + 1}`);
      this.tills.push({ ...device, clock: 0, base: 0 });
    }
    return this.tills.slice(0, count);
  }

  /** The catalogue, and an opening stock that no load can sell out. */
  openingPush(till: EnrolledTill): PreparedPush {
    this.catchUp(till);
    const products = this.workload.catalogue(till);
    return toPush(till, this.workload.openingStock(till), products);
  }

  /** What `till` sold offline, after it had pulled all that there was. */
  preparePushes(till: EnrolledTill, count: number, batch: number): PreparedPush[] {
    this.catchUp(till);
    return Array.from({ length: count }, () => toPush(till, this.workload.operations(till, batch)));
  }

  /** A push was answered with this lamport. */
  noteHead(lamport: number): void {
    this.highest = Math.max(this.highest, lamport);
  }

  private catchUp(till: EnrolledTill): void {
    till.base = this.head;
    till.clock = Math.max(till.clock, this.head);
  }
}

function toPush(
  till: EnrolledTill,
  operations: readonly OperationDto[],
  products: PushRequestDto['products'] = [],
): PreparedPush {
  const request: PushRequestDto = {
    operations: [...operations],
    products,
    payments: [],
    client_lamport: till.clock,
    device_id: till.deviceId,
    sent_at: new Date().toISOString(),
    protocol_version: 1,
  };
  return { till, operations, body: Buffer.from(JSON.stringify(request)) };
}

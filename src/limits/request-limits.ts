import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Redis, type RedisOptions } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { RateLimitSettings } from '../config/environment.js';
import { addressBlock } from './address-block.js';

const WINDOW_SECONDS = 60;

/** A request waits that long for Redis, once: after that the connection is made anew, and meanwhile nothing waits for it. */
const REDIS_TIMEOUT_MS = 250;

const REDIS_OPTIONS: RedisOptions = {
  enableOfflineQueue: false, // what can't be counted there just now is counted here
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  commandTimeout: REDIS_TIMEOUT_MS,
  connectTimeout: 2_000,
  disconnectTimeout: 500,
  retryStrategy: (attempt) => Math.min(attempt * 100, 2_000),
};

/** Whose a token is, by what it says itself: whether they are still let in is not known yet. */
export interface Caller {
  /** Undefined for an operator, who belongs to none. */
  readonly tenantId: string | undefined;
  /** The device, or the person where there is none. */
  readonly bearerId: string;
  /** Of a device's token, which is told by it from those before and after. */
  readonly tokenIssuedAt: number | undefined;
}

export type LimitName = 'device' | 'tenant';

/** Where a caller stands with one limit, after the request was counted. */
export interface Standing {
  readonly limit: LimitName;
  readonly quota: number;
  readonly left: number;
  /** Until the window ends and the quota is whole again. */
  readonly resetSeconds: number;
  readonly exceeded: boolean;
}

interface Limit {
  readonly quota: number;
  /** Counts for all processes; there is none without Redis. */
  readonly shared: RateLimiterRedis | undefined;
  /** Counts for this process. */
  readonly own: RateLimiterMemory;
}

/**
 * Counts requests in windows of a minute (ADR 0017): for all processes in Redis, where there is Redis and while it answers,
 * else for this process alone. A limit is a wall against floods, not an invoice: that Redis is broken refuses no sale.
 */
@Injectable()
export class RequestLimits implements OnApplicationShutdown {
  private readonly logger = new Logger('Limits');
  private readonly redis: Redis | undefined;
  private readonly limits: Readonly<Record<LimitName, Limit | undefined>>;
  private readonly strangers: Limit | undefined;
  private redisIsAway = false;

  constructor(settings: RateLimitSettings, redisUrl: string | undefined) {
    this.redis = redisUrl === undefined ? undefined : this.connect(redisUrl);
    this.limits = {
      device: this.limitOf('device', settings.devicePerMinute),
      tenant: this.limitOf('tenant', settings.tenantPerMinute),
    };
    // Of this process always: whoever has no token is given no work for Redis.
    this.strangers = limitInMemory('stranger', settings.refusedPerMinute);
  }

  onApplicationShutdown(): void {
    this.redis?.disconnect();
  }

  /**
   * Counts a request for the very token it came with. One of a revoked device, or one that was replaced, so uses up
   * nothing but its own; and one that runs wild not what the business's other devices have.
   * @returns also where the tenant stands, if it is known to have exceeded its limit: the database need not be asked
   */
  async countBearer({ tenantId, bearerId, tokenIssuedAt }: Caller): Promise<readonly Standing[]> {
    const { device, tenant } = this.limits;
    const standings: Standing[] = [];
    if (device) {
      const key = `${tenantId ?? 'operator'}:${bearerId}:${tokenIssuedAt ?? ''}`;
      standings.push(standingOf('device', device.quota, await this.consume(device, key)));
    }
    const counted = tenant && tenantId !== undefined ? await tenant.own.get(tenantId) : null;
    if (tenant && counted && counted.consumedPoints > tenant.quota)
      standings.push(standingOf('tenant', tenant.quota, { counted, exceeded: true }));
    return standings;
  }

  /**
   * Counts a request for the business whose it is.
   * @returns undefined if there is no limit
   */
  async countTenant(tenantId: string): Promise<Standing | undefined> {
    const { tenant } = this.limits;
    return tenant && standingOf('tenant', tenant.quota, await this.consume(tenant, tenantId));
  }

  /**
   * Counts a request that came without a valid token.
   * @param cost of how many requests it has the work
   * @returns seconds to wait, once its address has sent too many in a minute
   */
  async countStranger(address: string, cost = 1): Promise<number | undefined> {
    if (this.strangers === undefined) return undefined;
    const block = addressBlock(address);
    const { counted, exceeded } = await consumed(this.strangers.own, block, cost);
    if (!exceeded) return undefined;
    // Once in a window: this line is what a firewall can act on.
    if (counted.consumedPoints - cost <= this.strangers.quota) {
      this.logger.warn({ address: block, perMinute: this.strangers.quota }, 'Too many requests without a valid token');
    }
    return seconds(counted);
  }

  private limitOf(name: LimitName, quota: number): Limit | undefined {
    const limit = limitInMemory(name, quota);
    if (limit === undefined || this.redis === undefined) return limit;
    const shared = new RateLimiterRedis({
      storeClient: this.redis,
      keyPrefix: `agrotour:limit:${name}`,
      points: quota,
      duration: WINDOW_SECONDS,
      // Who has exceeded it is refused from memory until the window ends: a flood doesn't reach Redis.
      inMemoryBlockOnConsumed: quota + 1,
      rejectIfRedisNotReady: true,
    });
    return { ...limit, shared };
  }

  private async consume({ shared, own }: Limit, key: string): Promise<Consumed> {
    if (shared) {
      try {
        const result = await consumed(shared, key);
        // Known here as well until the window ends.
        if (result.exceeded) await own.block(key, seconds(result.counted));
        return result;
      } catch (error) {
        this.tellAway(error);
        // A Redis that takes connections and does not answer: without one, the next request is counted here at once.
        if (this.redis?.status === 'ready') this.redis.disconnect(true);
      }
    }
    return consumed(own, key);
  }

  private connect(redisUrl: string): Redis {
    const connection = new Redis(redisUrl, REDIS_OPTIONS);
    connection.on('error', (error) => {
      this.tellAway(error);
    });
    connection.on('ready', () => {
      if (this.redisIsAway) this.logger.log('Redis is back: limits are counted for all processes again');
      this.redisIsAway = false;
    });
    return connection;
  }

  /** Once for each outage. */
  private tellAway(error: unknown): void {
    if (!this.redisIsAway) {
      this.logger.warn({ err: error }, 'Redis is out of reach: until it is back each process counts limits for itself');
    }
    this.redisIsAway = true;
  }
}

interface Consumed {
  readonly counted: RateLimiterRes;
  readonly exceeded: boolean;
}

/** @throws Error of the store; that there is nothing left is no error. */
async function consumed(limiter: RateLimiterMemory | RateLimiterRedis, key: string, points = 1): Promise<Consumed> {
  try {
    return { counted: await limiter.consume(key, points), exceeded: false };
  } catch (refusal) {
    if (refusal instanceof RateLimiterRes) return { counted: refusal, exceeded: true };
    throw refusal;
  }
}

/** @returns undefined for a quota of 0: the limit is off. */
function limitInMemory(name: string, quota: number): Limit | undefined {
  if (quota === 0) return undefined;
  const own = new RateLimiterMemory({ keyPrefix: name, points: quota, duration: WINDOW_SECONDS });
  return { quota, shared: undefined, own };
}

function standingOf(limit: LimitName, quota: number, { counted, exceeded }: Consumed): Standing {
  return { limit, quota, left: counted.remainingPoints, resetSeconds: seconds(counted), exceeded };
}

function seconds({ msBeforeNext }: RateLimiterRes): number {
  return Math.max(1, Math.ceil(msBeforeNext / 1_000));
}

/** `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10), so that a client can slow down by itself. */
export function rateLimitHeaders(standings: readonly Standing[]): Readonly<Record<string, string>> {
  if (standings.length === 0) return {};
  const list = (item: (standing: Standing) => string): string => standings.map(item).join(', ');
  return {
    'ratelimit-policy': list(({ limit, quota }) => `"${limit}";q=${quota};w=${WINDOW_SECONDS}`),
    ratelimit: list(({ limit, left, resetSeconds }) => `"${limit}";r=${left};t=${resetSeconds}`),
  };
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { StockDto } from '../../src/inventory/inventory.dto.js';
import type { PullRequestDto, PullResponseDto } from '../../src/sync/pull/pull.dto.js';
import type { PushRequestDto, PushResponseDto } from '../../src/sync/push/push.dto.js';
import type { EnrolDeviceDto, EnrolledDeviceDto } from '../../src/tenancy/device.dto.js';
import type { TenantDto } from '../../src/tenancy/tenant.dto.js';

const TIMEOUT_MS = 60_000;
const ATTEMPTS_MAX = 7;
const BACK_OFF_MS = 200;
/** Passing by their meaning: too many requests, and a service or a proxy before it that is not there right now. */
const PASSING_STATUSES = new Set([429, 502, 503, 504]);

/** The service answered that it will not; `problem` is its body. */
export class RequestRefusedError extends Error {
  constructor(
    path: string,
    readonly status: number,
    problem: string,
  ) {
    super(`${path} was answered ${status}: ${problem.slice(0, 500)}`);
  }
}

/** No answer, however often it was asked. */
export class ServiceUnreachableError extends Error {}

export interface PushAnswer extends PushResponseDto {
  /** More than 1 if an answer was lost or put off: what was pushed may then be known already. */
  readonly attempts: number;
}

/**
 * The service over HTTP, as any client sees it. What fails for a passing reason is repeated, which pushes and pulls allow.
 * Answers are taken to have the documented shape: what the replay builds on is checked where it is used.
 */
export class ServiceClient {
  constructor(
    private readonly url: string,
    private readonly signal: AbortSignal,
  ) {}

  async createTenant(operatorToken: string, name: string): Promise<TenantDto> {
    return (await this.request('POST', '/tenants', operatorToken, { name })).body as TenantDto;
  }

  async enrol(adminToken: string, device: EnrolDeviceDto): Promise<EnrolledDeviceDto> {
    return (await this.request('POST', '/devices', adminToken, device)).body as EnrolledDeviceDto;
  }

  async push(deviceToken: string, push: PushRequestDto): Promise<PushAnswer> {
    const { body, attempts } = await this.request('POST', '/sync/push', deviceToken, push);
    return { ...(body as PushResponseDto), attempts };
  }

  async pull(deviceToken: string, pull: PullRequestDto): Promise<PullResponseDto> {
    return (await this.request('POST', '/sync/pull', deviceToken, pull)).body as PullResponseDto;
  }

  async stockOf(token: string, productId: string): Promise<StockDto> {
    return (await this.request('GET', `/inventory/products/${productId}/stock`, token)).body as StockDto;
  }

  /** @throws RequestRefusedError on an answer that repeating would not change, ServiceUnreachableError without an answer. */
  private async request(
    method: 'GET' | 'POST',
    path: string,
    token: string,
    body?: object,
  ): Promise<{ body: unknown; attempts: number }> {
    for (let attempt = 1; ; attempt += 1) {
      let pauseMs = BACK_OFF_MS * 2 ** (attempt - 1);
      try {
        const response = await fetch(`${this.url}${path}`, {
          method,
          headers: {
            authorization: `Bearer ${token}`,
            ...(body !== undefined && { 'content-type': 'application/json' }),
          },
          ...(body !== undefined && { body: JSON.stringify(body) }),
          signal: AbortSignal.any([this.signal, AbortSignal.timeout(TIMEOUT_MS)]),
        });
        if (response.ok) return { body: await response.json(), attempts: attempt };
        const refusal = new RequestRefusedError(path, response.status, await response.text());
        if (!PASSING_STATUSES.has(response.status)) throw refusal;
        if (attempt === ATTEMPTS_MAX) throw refusal;
        pauseMs = Math.max(pauseMs, 1_000 * Number(response.headers.get('retry-after') ?? 0) || 0);
      } catch (error) {
        this.signal.throwIfAborted();
        if (error instanceof RequestRefusedError) throw error;
        if (attempt === ATTEMPTS_MAX) {
          throw new ServiceUnreachableError(`${this.url} does not answer.`, { cause: error });
        }
      }
      await sleep(pauseMs, undefined, { signal: this.signal }).catch(() => {
        this.signal.throwIfAborted(); // with why it was aborted, which the timer's own error hides
      });
    }
  }
}

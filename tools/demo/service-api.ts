import type { ConflictDetailDto } from '../../src/conflicts/conflict.dto.js';
import type { ResolveDto } from '../../src/conflicts/resolution.dto.js';
import type { ProductEventsDto, StockEventDto } from '../../src/inventory/inventory.dto.js';
import type { VerificationDto } from '../../src/inventory/ledger-maintenance.dto.js';
import { RequestRefusedError, ServiceClient } from '../replay/service-client.js';

const TIMEOUT_MS = 20_000;
/** More than the demo ever makes. */
const EVENTS_MAX = 1_000;

/** The service over HTTP: beside what devices do, what a shop's people look at and decide. */
export class ServiceApi {
  readonly devices: ServiceClient;

  constructor(
    readonly url: string,
    private readonly signal: AbortSignal,
  ) {
    this.devices = new ServiceClient(url, signal);
  }

  conflict(token: string, id: string): Promise<ConflictDetailDto> {
    return this.request<ConflictDetailDto>(`/sync/conflicts/${id}`, token);
  }

  resolve(token: string, id: string, decision: ResolveDto): Promise<ConflictDetailDto> {
    return this.request<ConflictDetailDto>(`/sync/conflicts/${id}/resolve`, token, decision);
  }

  /** The product's ledger, oldest first. */
  async eventsOf(token: string, productId: string): Promise<readonly StockEventDto[]> {
    const path = `/inventory/products/${productId}/events?limit=${EVENTS_MAX}`;
    return (await this.request<ProductEventsDto>(path, token)).events;
  }

  verify(adminToken: string): Promise<VerificationDto> {
    return this.request<VerificationDto>('/inventory/verify', adminToken, {});
  }

  /** With a body a POST. Answers are taken to have the documented shape. */
  private async request<T>(path: string, token: string, body?: object): Promise<T> {
    const response = await fetch(`${this.url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.any([this.signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    if (!response.ok) throw new RequestRefusedError(path, response.status, await response.text());
    return (await response.json()) as T;
  }
}

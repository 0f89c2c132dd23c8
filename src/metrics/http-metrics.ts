import { Injectable } from '@nestjs/common';
import { Histogram, Registry } from 'prom-client';

/** From a read that hits a warm cache to a snapshot that streams for a minute. */
const BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Requests that were answered, and how long that took. */
@Injectable()
export class HttpMetrics {
  private readonly durations: Histogram<'method' | 'route' | 'status'>;

  constructor(registry: Registry) {
    this.durations = new Histogram({
      name: 'agrotour_http_request_duration_seconds',
      help: 'Time from the first byte of a request to the last of its answer.',
      labelNames: ['method', 'route', 'status'],
      buckets: BUCKETS_SECONDS,
      registers: [registry],
    });
  }

  /** @param route the pattern, such as `/tenants/:id`, never the path: undefined where no route matched. */
  answered(method: string, route: string | undefined, status: number, seconds: number): void {
    this.durations.observe({ method, route: route ?? 'none', status }, seconds);
  }
}

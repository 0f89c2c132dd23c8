import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { QUEUE_NAMES } from '../../src/queue/queue.names.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { TestDevice } from '../support/devices.js';
import { hasRedis, startRedis } from '../support/redis.js';
import { type Answer, createTenant, request, type RunningService, startService } from '../support/service.js';

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = String.raw`[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"`;
const VALUE = String.raw`[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN`;
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (${VALUE})$`);

/** Reads the text format 0.0.4, and accepts nothing else. @see https://prometheus.io/docs/instrumenting/exposition_formats/ */
function parseExposition(text: string): Sample[] {
  expect(text).toMatch(/\n$/);
  const types = new Map<string, string>();
  const seen = new Set<string>();
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    if (line === '' || /^# HELP [^ ]+ [^\n]+$/.test(line)) continue;
    const [, typed, type] = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram|summary|untyped)$`).exec(line) ?? [];
    if (typed !== undefined && type !== undefined) {
      expect(types.has(typed)).toBe(false);
      types.set(typed, type);
      continue;
    }
    const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? [];
    expect({ line, isSample: name !== '' }).toEqual({ line, isSample: true });
    const family = types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '');
    expect({ line, type: types.get(family) }).toEqual({ line, type: expect.any(String) });
    expect({ line, isRepeated: seen.has(`${name}{${labels}}`) }).toEqual({ line, isRepeated: false });
    seen.add(`${name}{${labels}}`);
    samples.push({
      name,
      labels: Object.fromEntries(
        [...labels.matchAll(new RegExp(LABEL, 'g'))].map(([label]) => {
          const at = label.indexOf('=');
          return [label.slice(0, at), JSON.parse(label.slice(at + 1)) as string];
        }),
      ),
      value: Number(value.replace('Inf', 'Infinity')),
    });
  }
  return samples;
}

const UUID = /[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}/i;

describe('GET /metrics', () => {
  let database: TestDatabase;
  let service: RunningService;
  const running: RunningService[] = [];

  async function start(variables: Record<string, string> = {}): Promise<RunningService> {
    const started = await startService({ DATABASE_URL: database.appUrl, ...variables });
    running.push(started);
    return started;
  }
  beforeAll(async () => {
    database = await createTestDatabase();
    service = await start();
  });
  afterAll(async () => {
    await Promise.all(running.map((each) => each.kill())); // asked to stop, one would wait ten seconds for Redis
    await database.drop();
  });

  async function scrape(url: string): Promise<Sample[]> {
    const answer: Answer = await request(`${url}/metrics`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(answer.body).not.toMatch(UUID);
    return parseExposition(answer.body as string);
  }
  const valueOf = (samples: readonly Sample[], name: string, labels: Record<string, string>): number | undefined =>
    samples.find((sample) => {
      const given = Object.entries(labels).every(([label, value]) => sample.labels[label] === value);
      return sample.name === name && given;
    })?.value;

  const REQUESTS = 'agrotour_http_request_duration_seconds';

  it('counts requests by the pattern of their route, and by no path', async () => {
    const tenant = await createTenant(service);
    const device = await TestDevice.enrol(tenant);
    await device.push(service, [device.operation()]);
    for (let count = 0; count < 3; count += 1) {
      await request(`${service.url}/inventory/products/${randomUUID()}/stock`, { token: tenant.adminToken });
    }
    await request(`${service.url}/inventory/products/${randomUUID()}/stock?secret=${randomUUID()}`);
    await request(`${service.url}/no/such/${randomUUID()}`, { method: 'PATCH' });

    const samples = await scrape(service.url);
    const route = '/inventory/products/:id/stock';
    const found = samples.filter(({ name, labels }) => name === `${REQUESTS}_count` && labels['route'] === route);
    expect(found.map(({ labels, value }) => [labels['method'], labels['status'], value])).toEqual(
      expect.arrayContaining([['GET', '401', 1]]),
    );
    expect(found.filter(({ labels }) => labels['status'] !== '401').map(({ value }) => value)).toEqual([3]);
    expect(valueOf(samples, `${REQUESTS}_count`, { method: 'POST', route: '/sync/push', status: '200' })).toBe(1);
    expect(valueOf(samples, `${REQUESTS}_count`, { method: 'PATCH', route: 'none', status: '404' })).toBe(1);
  });

  it('has buckets that add up', async () => {
    await request(`${service.url}/health/live`);
    const samples = await scrape(service.url);
    const labels = { method: 'GET', route: '/health/live', status: '200' };
    const buckets = samples.filter(
      (sample) => sample.name === `${REQUESTS}_bucket` && sample.labels['route'] === labels.route,
    );
    const counts = buckets.map(({ value }) => value);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(buckets.at(-1)?.labels['le']).toBe('+Inf');
    expect(counts.at(-1)).toBe(valueOf(samples, `${REQUESTS}_count`, labels));
    const sum = valueOf(samples, `${REQUESTS}_sum`, labels);
    expect(sum).toBeGreaterThan(0);
    expect(sum).toBeLessThan(30); // seconds, not milliseconds
  });

  it('has a line for every queue and state, for every fate of an entry, and for the process', async () => {
    const samples = await scrape(service.url);
    for (const queue of QUEUE_NAMES) {
      for (const state of ['waiting', 'active', 'delayed', 'failed']) {
        expect(valueOf(samples, 'agrotour_queue_jobs', { queue, state })).toBeGreaterThanOrEqual(0);
      }
    }
    for (const kind of ['operation', 'product', 'payment']) {
      for (const status of ['accepted', 'duplicate', 'conflict', 'ignored', 'rejected']) {
        expect(valueOf(samples, 'agrotour_push_entries_total', { kind, status })).toBeGreaterThanOrEqual(0);
      }
    }
    expect(valueOf(samples, 'process_resident_memory_bytes', {})).toBeGreaterThan(1e6);
  });

  it('is answered by a worker, to which nothing else is asked but its health', async () => {
    const worker = await start({ ROLE: 'worker' });
    const samples = await scrape(worker.url);
    for (const queue of QUEUE_NAMES) expect(valueOf(samples, 'agrotour_queue_jobs', { queue })).toBeDefined();
    for (const path of ['/', '/metrics/', '/metricsx', '/health', '/openapi.json', '/devices']) {
      expect([path, (await request(worker.url + path)).status]).toEqual([path, 404]);
    }
    expect(await request(`${worker.url}/metrics?x=1`)).toMatchObject({ status: 200 });
  });

  (hasRedis ? it : it.skip)('leaves out queues that are out of reach, and tells the rest', async () => {
    const redis = await startRedis();
    const cutOff = await start({ ROLE: 'api', REDIS_URL: redis.url });
    expect(valueOf(await scrape(cutOff.url), 'agrotour_queue_jobs', {})).toBeDefined();
    await redis.stop();
    for (let time = 0; time < 3; time += 1) {
      const startedAt = Date.now();
      const samples = await scrape(cutOff.url);
      expect(Date.now() - startedAt).toBeLessThan(3_000);
      expect(valueOf(samples, 'agrotour_queue_jobs', {})).toBeUndefined();
      expect(valueOf(samples, 'process_resident_memory_bytes', {})).toBeGreaterThan(1e6);
    }
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DeviceDto, DeviceListDto } from '../../src/sync/devices/device-list.dto.js';
import { createTestDatabase, type TestDatabase, withClient } from '../support/database.js';
import { pull, TestDevice } from '../support/devices.js';
import { createTenant, request, type RunningService, startService, type TestTenant } from '../support/service.js';

const HOUR_MS = 3_600_000;

describe('the list of devices', () => {
  let database: TestDatabase;
  let service: RunningService;
  let tenant: TestTenant;
  let ana: TestDevice;
  let ben: TestDevice;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService({ DATABASE_URL: database.appUrl });
  });
  afterAll(async () => {
    await service.stop();
    await database.drop();
  });
  beforeEach(async () => {
    tenant = await createTenant(service);
    ana = await TestDevice.enrol(tenant, 'Ana’s phone');
    ben = await TestDevice.enrol(tenant, 'Ben’s till');
  });

  async function list(token = tenant.adminToken): Promise<DeviceListDto> {
    const answer = await request(`${service.url}/devices`, { token });
    expect(answer).toMatchObject({ status: 200 });
    return answer.body as DeviceListDto;
  }

  async function statusOf(device: TestDevice): Promise<DeviceDto> {
    const found = (await list()).devices.find(({ id }) => id === device.id);
    if (!found) throw new Error('The device is missing');
    return found;
  }

  it('knows nothing yet of a device that was never here', async () => {
    expect(await list(await tenant.staffToken())).toEqual({
      server_lamport: 0,
      devices: ['Ana’s phone', 'Ben’s till'].map((name, index) => ({
        id: [ana, ben][index]?.id,
        name,
        device_type: 'DESKTOP',
        created_at: expect.stringMatching(/Z$/),
        revoked_at: null,
        last_seen_at: null,
        last_pushed_lamport: null,
        last_pulled_lamport: null,
        lag: null,
        clock_skew_ms: null,
        clock_reused: false,
        clock_reused_at: null,
        pending_conflicts: 0,
      })),
    });
  });

  it('says who has pushed what, and who has yet to pull it', async () => {
    const before = Date.now();
    await ana.push(service, [ana.operation(), ana.operation(), ana.operation()]);
    await ben.pull(service, 0);
    await ana.push(service, [ana.operation({ lamport_ts: 40 })]);
    expect(await list()).toMatchObject({
      server_lamport: 41,
      devices: [
        { last_pushed_lamport: 41, last_pulled_lamport: null, lag: null },
        { last_pushed_lamport: null, last_pulled_lamport: 4, lag: 37 },
      ],
    });
    await ben.pull(service, 4);
    await ben.push(service, [null]); // nothing of it is recorded
    expect(await statusOf(ben)).toMatchObject({ last_pushed_lamport: null, last_pulled_lamport: 41, lag: 0 });
    for (const { last_seen_at: seen } of (await list()).devices) {
      expect(Date.parse(seen ?? '')).toBeGreaterThanOrEqual(before);
      expect(Date.parse(seen ?? '')).toBeLessThanOrEqual(Date.now());
    }
  });

  it('keeps no pull of people, who are no device', async () => {
    await ana.push(service, [ana.operation()]);
    expect((await pull(service, await tenant.staffToken(), 0)).status).toBe(200);
    expect(await statusOf(ben)).toMatchObject({ last_seen_at: null, last_pulled_lamport: null });
  });

  it.each([
    ['ahead', HOUR_MS],
    ['behind', -HOUR_MS],
  ])('says by how much a wall clock is %s', async (_, skewMs) => {
    const sent = (): string => new Date(Date.now() + skewMs).toISOString();
    const answer = await ana.push(service, [ana.operation()], { sent_at: sent() });
    expect(answer.body.results[0]).toMatchObject({
      status: 'accepted',
      warnings: expect.arrayContaining(['CLOCK_SKEW']),
    });
    const { clock_skew_ms: measured } = await statusOf(ana);
    expect(measured).toBeLessThanOrEqual(skewMs);
    expect(measured).toBeGreaterThan(skewMs - 60_000); // the way there
    await ana.push(service, [ana.operation()]);
    expect((await statusOf(ana)).clock_skew_ms).toBe(measured);
  });

  it('tells a device that used a lamport twice, and only that', async () => {
    await ana.push(service, [ana.operation({ lamport_ts: 7 })]);
    expect(await statusOf(ana)).toMatchObject({ clock_reused: false, clock_reused_at: null });
    const before = Date.now();
    const second = ana.operation({ lamport_ts: 7 });
    await ana.push(service, [second]);
    const { clock_reused: reused, clock_reused_at: at } = await statusOf(ana);
    expect(reused).toBe(true);
    expect(Date.parse(at ?? '')).toBeGreaterThanOrEqual(before);
    await ana.push(service, [second]); // a duplicate is no other operation
    expect((await statusOf(ana)).clock_reused_at).toBe(at);
    await ben.push(service, [ben.operation({ lamport_ts: 7 })]);
    expect(await statusOf(ben)).toMatchObject({ clock_reused: false });
  });

  it('shows another business nothing of it', async () => {
    await ana.push(service, [ana.operation()]);
    const other = await createTenant(service);
    expect(await list(other.adminToken)).toEqual({ devices: [], server_lamport: 0 });
  });

  it('does not hold up a pull while a push of the same device waits for its turn', async () => {
    await ana.push(service, [ana.operation()]);
    await withClient(database.superuserUrl, async (client) => {
      await client.query('BEGIN');
      await client.query('SELECT FROM devices WHERE id = $1 FOR UPDATE', [ana.id]); // as a push does until it commits
      const answer = await ana.pull(service, 0);
      expect(answer.status).toBe(200);
      expect(answer.body.operations).toHaveLength(1);
      await client.query('ROLLBACK');
    });
    expect(await statusOf(ana)).toMatchObject({ last_pulled_lamport: null });
    await ana.pull(service, 0);
    expect(await statusOf(ana)).toMatchObject({ last_pulled_lamport: 2, lag: 0 });
  });
});

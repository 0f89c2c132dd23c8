import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Browser, BrowserContext, Page, Request } from 'playwright-core';
import type { PushRequestDto } from '../../src/sync/push/push.dto.js';
import { describeWithBrowser, launchBrowser } from '../support/browser.js';
import { aProductEdit } from '../support/builders.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { newProducts, pullAll, TestDevice } from '../support/devices.js';
import { createTenant, type RunningService, startService, type TestTenant } from '../support/service.js';
import { startSite, type StaticSite } from '../support/static-site.js';

const ONLINE = 'Online · all is sent';

describeWithBrowser('the till on a web page (skips without Chromium)', () => {
  let database: TestDatabase;
  let site: StaticSite;
  let service: RunningService;
  let browser: Browser;
  let tenant: TestTenant;
  const faults: string[] = [];

  beforeAll(async () => {
    execFileSync('npm', ['run', '--silent', 'build:web-till']);
    database = await createTestDatabase();
    site = await startSite(path.resolve('client/examples/web-till/dist'));
    [service, browser] = await Promise.all([
      startService({ DATABASE_URL: database.appUrl, ALLOWED_ORIGINS: site.url }),
      launchBrowser(),
    ]);
  });
  afterAll(async () => {
    await browser.close();
    await service.stop();
    await site.stop();
    await database.drop();
  });
  beforeEach(async () => {
    tenant = await createTenant(service);
  });

  /** A browser of its own: what it keeps, no other has. */
  async function aBrowser(): Promise<BrowserContext> {
    const context = await browser.newContext({ viewport: { width: 360, height: 740 } });
    context.setDefaultTimeout(15_000);
    return context;
  }

  async function open(context: BrowserContext, token: string): Promise<Page> {
    const page = await context.newPage();
    page.on('pageerror', ({ message }) => faults.push(message));
    page.on('console', (said) => {
      if (said.text().includes('Content Security Policy')) faults.push(said.text());
    });
    await page.goto(`${site.url}/#${new URLSearchParams({ url: service.url, token }).toString()}`);
    await shows(page, ONLINE);
    return page;
  }

  async function openByHand(context: BrowserContext, token: string): Promise<Page> {
    const page = await context.newPage();
    await page.goto(site.url);
    await page.getByLabel('Address of the service').fill(service.url);
    await page.getByLabel('Token of the device').fill(token);
    await page.getByRole('button', { name: 'Open the till' }).click();
    await shows(page, ONLINE);
    return page;
  }

  const shows = (page: Page, text: string): Promise<void> => page.getByText(text, { exact: true }).waitFor();
  const sell = async (page: Page, times: number): Promise<void> => {
    for (let sold = 0; sold < times; sold += 1) await page.getByRole('button', { name: 'Sell 1 Honey' }).click();
  };
  const salesOf = async (): Promise<string[]> => {
    const log = await pullAll(service, tenant.adminToken);
    return log.filter(({ reason }) => reason === 'SALE').map((event) => event.operation_id);
  };

  async function stockHoney(units: number): Promise<void> {
    const [id = ''] = newProducts(1);
    const device = await TestDevice.enrol(tenant);
    const honey = aProductEdit({ id, tenant_id: tenant.id, device_id: device.id, name: 'Honey', price: 4.2 });
    const pushed = await device.push(service, [device.restock(id, units)], { products: [honey] });
    expect(pushed.body.results.map(({ status }: { status: string }) => status)).toEqual(['accepted', 'accepted']);
  }

  it('sells while it is offline, is reloaded, sells on, and brings each sale to the server once', async () => {
    const context = await aBrowser();
    const page = await open(context, (await tenant.enrol()).token);
    expect(page.url()).toBe(`${site.url}/`); // and no token in it
    await page.getByText('New product').click();
    await page.getByLabel('Name').fill('Honey');
    await page.getByLabel('Price').fill('4.20');
    await page.getByLabel('Units there are').fill('10');
    await page.getByRole('button', { name: 'Add' }).click();
    await sell(page, 1);
    await shows(page, '4.20 · 9 in stock');
    await page.evaluate('navigator.serviceWorker.ready.then(() => true)'); // the page is kept, too

    await context.setOffline(true);
    await sell(page, 2);
    await shows(page, 'Offline · 2 to send');
    await page.reload();
    await shows(page, '4.20 · 7 in stock · -2 not confirmed yet');
    await sell(page, 1);
    await shows(page, 'Offline · 3 to send');
    expect(await salesOf()).toHaveLength(1);

    await context.setOffline(false);
    await shows(page, ONLINE);
    await shows(page, '4.20 · 6 in stock');
    expect(await salesOf()).toHaveLength(4);
    expect(faults).toEqual([]);
    await context.close();
  });

  it('comes to the same as another page that sold meanwhile', async () => {
    await stockHoney(20);
    const [away, here] = [await aBrowser(), await aBrowser()];
    const [ana, ben] = [
      await open(away, (await tenant.enrol()).token),
      await openByHand(here, (await tenant.enrol()).token),
    ];
    await away.setOffline(true);
    await sell(ana, 3);
    await sell(ben, 2);
    await shows(ana, '4.20 · 17 in stock · -3 not confirmed yet');
    await shows(ben, '4.20 · 18 in stock');
    await away.setOffline(false);
    for (const page of [ana, ben]) await shows(page, '4.20 · 15 in stock'); // without anybody asking for it
    expect(await salesOf()).toHaveLength(5);
    await Promise.all([away.close(), here.close()]);
  });

  it('pushes nothing twice from two tabs', async () => {
    await stockHoney(20);
    const context = await aBrowser();
    const { token } = await tenant.enrol();
    const [left, right] = [await open(context, token), await open(context, token)];
    const pushed: (string | undefined)[] = [];
    context.on('request', (request) => {
      if (request.method() === 'POST' && request.url().endsWith('/sync/push')) pushed.push(...operationsOf(request));
    });
    await context.setOffline(true);
    await Promise.all([sell(left, 4), sell(right, 4)]);
    for (const tab of [left, right]) await shows(tab, 'Offline · 8 to send');
    pushed.splice(0); // what never left the browser
    await context.setOffline(false);
    for (const tab of [left, right]) await shows(tab, '4.20 · 12 in stock');
    const sales = await salesOf();
    expect(sales).toHaveLength(8);
    expect(pushed.sort()).toEqual(sales.sort());
    await context.close();
  });
});

function operationsOf(request: Request): (string | undefined)[] {
  const body = request.postDataBuffer() ?? Buffer.from('{"operations":[]}');
  const text = request.headers()['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
  const { operations } = JSON.parse(text.toString()) as PushRequestDto;
  return (operations as { operation_id?: string }[]).map(({ operation_id }) => operation_id);
}

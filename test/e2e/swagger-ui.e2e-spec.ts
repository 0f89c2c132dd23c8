import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { describeWithBrowser, launchBrowser } from '../support/browser.js';
import { type EmbeddedService, startEmbedded } from '../support/embedded-service.js';

describeWithBrowser('Swagger UI (skips without Chromium)', () => {
  let dataDir: string;
  let service: EmbeddedService;
  let browser: Browser;
  let url: string;
  let deviceToken: string;

  beforeAll(async () => {
    dataDir = mkdtempSync(path.join(os.tmpdir(), 'agrotour-docs-'));
    service = startEmbedded(dataDir);
    const [push] = await service.commands();
    url = /http:\/\/[\d.:]+/.exec(push)?.[0] ?? '';
    deviceToken = /Bearer ([\w.-]+)/.exec(push)?.[1] ?? '';
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await service.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  /** Opens a route, runs its example as it stands, and returns what the server answered. */
  async function execute(page: Page, operationId: string): Promise<{ status: string; body: string }> {
    const block = page.locator(`[id$="-${operationId}"]`);
    if (!(await block.locator('button.execute').isVisible())) await block.locator('.opblock-summary-control').click();
    await block.locator('button.execute').click();
    const live = block.locator('.live-responses-table .response').first();
    await live.waitFor();
    return {
      status: (await live.locator('.response-col_status').innerText()).trim(),
      body: await live.locator('.response-col_description').innerText(),
    };
  }

  it('lets a person push, push again, pull and see the stock, with the examples as they stand', async () => {
    const page = await browser.newPage();
    const violations: string[] = [];
    page.on('console', (said) => {
      if (said.text().includes('Content Security Policy')) violations.push(said.text());
    });
    await page.goto(`${url}/docs`);
    await page.locator('button.authorize').first().click();
    await page.locator('.auth-container input').fill(deviceToken);
    await page.locator('.auth-container button.authorize').click();
    await page.locator('.auth-container button.btn-done').click();

    const first = await execute(page, 'push_push');
    expect(first.status).toMatch(/^200/);
    expect(first.body).toContain('"accepted"');
    await page.locator('[id$="-push_push"] .btn-clear').click();
    expect((await execute(page, 'push_push')).body).toContain('"duplicate"');
    expect((await execute(page, 'pull_pull')).body).toContain('"effect": 12');
    expect((await execute(page, 'inventory_stockOf')).body).toContain('"quantity": 12');
    expect((await execute(page, 'tenants_list')).body).toContain('"FORBIDDEN"');
    expect(violations).toEqual([]);
    await page.close();
  });
});

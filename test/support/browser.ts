import { describe } from '@jest/globals';
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const BROWSER = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((file) =>
  existsSync(file),
);

/** Skips where there is no Chromium. In CI a missing browser is a failure, not a reason to skip. */
export const describeWithBrowser = BROWSER === undefined && !process.env['CI'] ? describe.skip : describe;

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: BROWSER ?? 'chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

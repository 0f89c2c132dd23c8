import type { IncomingHttpHeaders } from 'node:http';
import { ProblemError } from '../problems/problem.js';

/**
 * Whether a request that changes something was made by a page of this service, or by no browser at all. A browser sends
 * the cookie along whoever wrote the form; these headers it sets itself, and no page can (OWASP, "Cross-Site Request
 * Forgery Prevention": Fetch Metadata first, `Origin` for browsers and addresses that go without).
 */
export function isSameOrigin(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const { origin, host } = headers;
  if (origin !== undefined) return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
  // Every browser sends one of the two with what is not GET or HEAD. Who sends neither must bring what no browser adds.
  return headers.authorization !== undefined;
}

/** @throws ProblemError FORBIDDEN */
export function assertSameOrigin(headers: IncomingHttpHeaders): void {
  if (isSameOrigin(headers)) return;
  throw new ProblemError('FORBIDDEN', { detail: 'The request was made by a page of another site.' });
}

/** Whether a person looks at the answer as a page, and not a script or a tool at data. */
export function isNavigation(headers: IncomingHttpHeaders): boolean {
  const mode = headers['sec-fetch-mode'];
  return mode === undefined ? headers.accept?.includes('text/html') === true : mode === 'navigate';
}

/** Whether the browser came by https, though a proxy may have passed it on by http. */
export function cameByHttps(headers: IncomingHttpHeaders): boolean {
  return headers.origin?.startsWith('https:') === true || headers['x-forwarded-proto'] === 'https';
}

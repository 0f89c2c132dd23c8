/**
 * Serves the page itself without a network. It keeps the files of one build, whole, until the next one is whole, too: so
 * the page is never made of two. What the page knows and has recorded is no business of this: that is in IndexedDB.
 */
declare const self: ServiceWorkerGlobalScope;

/** Of this build, the page first; the build puts them in. */
declare const FILES_OF_BUILD: readonly string[];
declare const VERSION_OF_BUILD: string;

self.addEventListener('install', (event) => {
  event.waitUntil(keep());
});
self.addEventListener('activate', (event) => {
  event.waitUntil(forgetOthers());
});
self.addEventListener('fetch', (event) => {
  const file = fileAt(event.request);
  if (file !== undefined) event.respondWith(answer(file, event.request));
});

/** @returns undefined of what is not part of the page, such as the service: that goes its way as if nobody listened */
function fileAt({ url, method }: Request): string | undefined {
  const { origin, pathname } = new URL(url);
  const address = origin + pathname;
  const { scope } = self.registration;
  if (method !== 'GET' || !address.startsWith(scope)) return undefined;
  const wanted = address.slice(scope.length);
  return wanted === '' ? FILES_OF_BUILD[0] : FILES_OF_BUILD.find((file) => file === wanted);
}

async function keep(): Promise<void> {
  const cache = await caches.open(VERSION_OF_BUILD);
  await cache.addAll(FILES_OF_BUILD.map((file) => new Request(file, { cache: 'reload' })));
}

async function forgetOthers(): Promise<void> {
  for (const name of await caches.keys()) if (name !== VERSION_OF_BUILD) await caches.delete(name);
  await self.clients.claim(); // the page that was opened first, too
}

async function answer(file: string, request: Request): Promise<Response> {
  const cache = await caches.open(VERSION_OF_BUILD);
  return (await cache.match(file)) ?? fetch(request);
}

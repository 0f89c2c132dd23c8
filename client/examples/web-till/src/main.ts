import { SyncClient } from '@agrotour/sync-client';
import { Level } from 'level';
import { attempt, byId } from './page.js';
import { authorOf, currentSession, forgetSession, keepSession, type Session } from './session.js';
import { openShop } from './shop.js';

async function open(session: Session): Promise<void> {
  const author = authorOf(session);
  const client = await SyncClient.open({
    ...author,
    // In the browser this is IndexedDB, which all tabs share: a device has a database of its own.
    database: new Level<string, unknown>(`till-${author.deviceId}`),
    baseUrl: session.url,
    token: () => session.token,
  });
  openShop(client);
  // Otherwise the browser may throw the store away when the disk gets full.
  if (isSecureContext) await navigator.storage.persist();
}

function askForSession(): void {
  const form = byId('login', HTMLFormElement);
  form.hidden = false;
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const session = {
      url: byId('url', HTMLInputElement).value,
      token: byId('token', HTMLTextAreaElement).value.trim(),
    };
    void attempt(async () => {
      await open(session);
      keepSession(session);
      form.hidden = true;
    });
  });
}

byId('leave', HTMLButtonElement).addEventListener('click', () => {
  forgetSession();
  location.reload();
});
const session = currentSession();
if (session) void attempt(() => open(session));
else askForSession();
// Browsers have it only where the page comes by HTTPS, or from this machine.
if ('serviceWorker' in navigator) {
  void attempt(async () => {
    await navigator.serviceWorker.register('./service-worker.js');
  });
}

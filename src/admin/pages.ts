import { createHash } from 'node:crypto';
import { ADMIN_PATH, TOKEN_CHARACTERS_MAX } from './session-cookie.js';

const STYLE = `
  :root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; }
  main { width: min(28rem, 90vw); }
  h1 { font-size: 1.25rem; }
  label, input { display: block; width: 100%; box-sizing: border-box; }
  input, button { font: inherit; padding: 0.5rem; margin-top: 0.25rem; }
  button { margin-top: 1rem; }
  [role='alert'] { border-left: 4px solid #c0392b; padding-left: 0.75rem; }
  code { font-size: 0.9em; }
`;

/** Nothing is loaded, nothing runs, nobody frames it, and its forms go nowhere but here. */
export const PAGE_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** @param message why the person sees this page, if not because they asked for it */
export function signInPage(message?: string): string {
  return page(
    'Sign in',
    `${message === undefined ? '' : `<p role="alert">${escapeHtml(message)}</p>`}
    <form method="post" action="${ADMIN_PATH}/sign-in">
      <label for="token">Token of an admin or operator</label>
      <input id="token" name="token" type="password" maxlength="${TOKEN_CHARACTERS_MAX}" required autofocus autocomplete="off" spellcheck="false">
      <button>Sign in</button>
    </form>
    <p>The token is what API clients send after <code>Bearer</code>. This browser keeps it until it expires or you sign out.</p>`,
  );
}

export function signOutPage(): string {
  return page(
    'Sign out',
    `<form method="post" action="${ADMIN_PATH}/sign-out"><button autofocus>Sign out</button></form>
    <p><a href="${ADMIN_PATH}/queues">Back to the queues</a></p>`,
  );
}

function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${title} · Agrotour Sync Engine</title>
    <style>${STYLE}</style>
  </head>
  <body>
    <main>
    <h1>Agrotour Sync Engine: ${title.toLowerCase()}</h1>
    ${content}
    </main>
  </body>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

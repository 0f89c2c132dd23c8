import { createHash } from 'node:crypto';
import path from 'node:path';
import { defineConfig, type Plugin } from 'vite';

const root = import.meta.dirname;
const SERVICE_WORKER = 'service-worker.js';

/** Tells the service worker which files the page is made of. */
function filesForServiceWorker(): Plugin {
  return {
    name: 'files-for-service-worker',
    generateBundle: {
      order: 'post', // when the page is there
      handler(_, bundle) {
        const worker = bundle[SERVICE_WORKER];
        if (worker?.type !== 'chunk') throw new Error('There is no service worker.');
        const others = Object.values(bundle).filter((file) => file !== worker);
        const names = others.map(({ fileName }) => fileName).sort((a, b) => Number(isPage(b)) - Number(isPage(a)));
        const hash = createHash('sha256');
        for (const file of others) hash.update(file.type === 'chunk' ? file.code : file.source);
        const version = hash.digest('hex').slice(0, 16);
        worker.code = worker.code
          .replaceAll('FILES_OF_BUILD', JSON.stringify(names))
          .replaceAll('VERSION_OF_BUILD', JSON.stringify(version));
      },
    },
  };
}

function isPage(fileName: string): boolean {
  return fileName.endsWith('.html');
}

export default defineConfig({
  root,
  base: './', // below any path
  resolve: { alias: { '@agrotour/sync-client': path.join(root, '../../src/index.ts') } },
  plugins: [filesForServiceWorker()],
  build: {
    rolldownOptions: {
      input: {
        index: path.join(root, 'index.html'),
        'service-worker': path.join(root, 'service-worker/service-worker.ts'),
      },
      output: {
        // Browsers look for a newer service worker where they found the first.
        entryFileNames: ({ name }) => (name === 'service-worker' ? SERVICE_WORKER : 'assets/[name]-[hash].js'),
      },
    },
  },
});

import path from 'node:path';
import { parseArgs } from 'node:util';
import type { SyncClientOptions } from '@agrotour/sync-client';

export interface TillOptions {
  readonly url: string;
  readonly token: string;
  /** Folder of the LevelDB store. */
  readonly store: string;
  readonly author: Pick<SyncClientOptions, 'tenantId' | 'deviceId' | 'userId' | 'deviceType'>;
}

/** What was typed can't be done; the message is for who typed it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const USAGE = `Usage: npm run till -- --token <token> [--url <url>] [--store <folder>]
  --token   of an enrolled device; or TILL_TOKEN
  --url     of the service; or TILL_URL; by default http://127.0.0.1:8001
  --store   where the till keeps what it knows and has recorded; or TILL_STORE; by default .till/<device>`;

export function readOptions(args: readonly string[], environment: NodeJS.ProcessEnv): TillOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      url: { type: 'string', default: environment['TILL_URL'] ?? 'http://127.0.0.1:8001' },
      token: { type: 'string', default: environment['TILL_TOKEN'] ?? '' },
      store: { type: 'string', default: environment['TILL_STORE'] ?? '' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  if (values.token === '') throw new UsageError(`A device's token is missing.\n\n${USAGE}`);
  if (!URL.canParse(values.url)) throw new UsageError('--url must be like https://sync.example.com');
  const author = authorOf(values.token);
  return {
    url: values.url,
    token: values.token,
    store: path.resolve(values.store || path.join('.till', author.deviceId)),
    author,
  };
}

/** Who the token is for. It is only read here, so that the till knows that offline, too: the server checks it. */
function authorOf(token: string): TillOptions['author'] {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<
      string,
      unknown
    >;
    const { role, tenant_id: tenantId, device_id: deviceId, sub: userId } = claims;
    if (
      role === 'device' &&
      typeof tenantId === 'string' &&
      typeof deviceId === 'string' &&
      typeof userId === 'string'
    ) {
      return { tenantId, deviceId, userId, deviceType: 'DESKTOP' };
    }
  } catch {
    // Told below.
  }
  throw new UsageError('The token is not that of a device: an admin gets one from POST /devices.');
}

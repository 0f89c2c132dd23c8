import 'reflect-metadata';
import { decodeJwt } from 'jose';
import { readEnvironment } from '../src/config/environment.js';
import { Settings } from '../src/config/settings.js';
import { createHttpServer } from '../src/http-server.js';
import { createLogger } from '../src/logging/logger.js';
import { AccessService } from '../src/tenancy/access.service.js';
import type { DevicePrincipal } from '../src/tenancy/domain/principal.js';
import { TokensService } from '../src/tenancy/tokens.service.js';

/*
 * The service with its doors open, for bench/isolation to compare with: nobody is asked whether their tenant and device
 * are let in, and with DOORS=open whatever a token says is believed. The role of DATABASE_URL is not looked at either.
 */
const environment = readEnvironment(process.env);
if (environment.database.kind === 'embedded') throw new Error('DATABASE_URL is missing');
const settings = Settings.resolve(environment, { databaseUrl: environment.database.url });
const logger = createLogger(environment.logLevel, false);
const app = await createHttpServer(settings, logger);
app.get(AccessService).admit = () => Promise.resolve();
if (process.env['DOORS'] === 'open') app.get(TokensService).verify = (token) => Promise.resolve(believe(token));
process.once('SIGTERM', () => {
  void app.close().then(() => process.exit(0));
});
await app.listen(environment.port, environment.host);
logger.info({ url: await app.getUrl() }, 'listening');

function believe(token: string): DevicePrincipal {
  const { sub, tenant_id: tenantId, device_id: deviceId } = decodeJwt<{ tenant_id: string; device_id: string }>(token);
  return { role: 'device', userId: sub ?? '', tenantId, deviceId };
}

import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { pino } from 'pino';
import { readEnvironment } from '../../src/config/environment.js';
import { Settings } from '../../src/config/settings.js';
import { createHttpServer } from '../../src/http-server.js';
import { SECRET } from '../support/service.js';
import { type DatabaseBreak, makeBreakable, withBreak } from './database-breaks.js';

export type { DatabaseBreak } from './database-breaks.js';

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** API processes on one database: the whole service, but for the sockets. Requests go to one after the other. */
export class Servers {
  private turn = 0;

  private constructor(
    private readonly databaseUrl: string,
    private readonly apps: NestFastifyApplication[],
  ) {}

  static async start(databaseUrl: string, count: number): Promise<Servers> {
    makeBreakable();
    const apps: NestFastifyApplication[] = [];
    while (apps.length < count) apps.push(await start(databaseUrl));
    return new Servers(databaseUrl, apps);
  }

  /** @returns undefined if the server hung up in the middle of its answer, as its database did */
  async ask(path: string, init: RequestInit, databaseBreak?: DatabaseBreak): Promise<Answer | undefined> {
    const app = this.next();
    if (!databaseBreak) return inject(app, path, init);
    return withBreak(databaseBreak, () => inject(app, path, init).catch(() => undefined));
  }

  /** One of them goes, whatever it knew, and another comes. */
  async restart(which: number): Promise<void> {
    const index = which % this.apps.length;
    await this.apps[index]?.close();
    this.apps[index] = await start(this.databaseUrl);
  }

  /** The same servers get the same requests again. */
  beginAnew(): void {
    this.turn = 0;
  }

  async stop(): Promise<void> {
    for (const app of this.apps) await app.close();
  }

  private next(): NestFastifyApplication {
    this.turn += 1;
    const app = this.apps[this.turn % this.apps.length];
    if (!app) throw new Error('There is no server');
    return app;
  }
}

async function inject(app: NestFastifyApplication, url: string, init: RequestInit): Promise<Answer> {
  const { statusCode, headers, body } = await app.inject({
    method: (init.method ?? 'GET') as 'GET' | 'POST' | 'PATCH' | 'DELETE',
    url,
    headers: init.headers as Record<string, string>,
    ...(typeof init.body === 'string' && { payload: init.body }),
  });
  const contentType = headers['content-type'];
  return { status: statusCode, headers: typeof contentType === 'string' ? { 'content-type': contentType } : {}, body };
}

async function start(databaseUrl: string): Promise<NestFastifyApplication> {
  const variables = { ROLE: 'api', DATABASE_URL: databaseUrl, JWT_SECRET: SECRET, RATE_LIMIT_PER_MINUTE: '0' };
  const environment = readEnvironment(variables);
  const app = await createHttpServer(Settings.resolve(environment, { databaseUrl }), pino({ level: 'silent' }));
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  return app;
}

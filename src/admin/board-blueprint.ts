import { createBullBoard } from '@bull-board/api';
import type {
  AppControllerRoute,
  AppViewRoute,
  BullBoardRequest,
  ControllerHandlerReturnType,
  IServerAdapter,
  Promisify,
  UIConfig,
} from '@bull-board/api/typings/app';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { escapeHtml } from './pages.js';

export interface BoardEndpoint {
  readonly method: string;
  readonly url: string;
  readonly answer: (request: BullBoardRequest) => Promisify<ControllerHandlerReturnType>;
}

/** What Bull Board asks of a server, kept until a request says for whom: its routes, its page and where its files are. */
export class BoardBlueprint implements IServerAdapter {
  endpoints: readonly BoardEndpoint[] = [];
  pageUrls: readonly string[] = [];
  assetsUrl = '';
  assetsFolder = '';
  private uiConfig: UIConfig = {};
  private entry: AppViewRoute | undefined;
  private template = '';

  constructor(uiConfig: UIConfig) {
    createBullBoard({ queues: [], serverAdapter: this, options: { uiConfig } });
  }

  /** The page that loads the board's scripts; `changes` to its configuration are for this viewer. */
  page(basePath: string, changes: UIConfig): string {
    if (!this.entry) throw new Error('Bull Board has no page');
    const { params } = this.entry.handler({ basePath, uiConfig: { ...this.uiConfig, ...changes } });
    // The template only ever names values. Its stylesheet from another site is left out.
    return this.template
      .replaceAll(/<link [^>]*href="https?:[^>]*>/g, '')
      .replaceAll(/<%([-=]) (\w+) %>/g, (_tag, kind: string, name: string) => {
        const value = params[name] ?? '';
        return kind === '=' ? escapeHtml(value) : value;
      });
  }

  setQueues(): this {
    return this; // each request brings its own
  }
  setErrorHandler(): this {
    return this; // errors are answered as everywhere
  }
  setUIConfig(config: UIConfig): this {
    this.uiConfig = config;
    return this;
  }
  setViewsPath(folder: string): this {
    this.template = readFileSync(path.join(folder, 'index.ejs'), 'utf8');
    return this;
  }
  setStaticPath(url: string, folder: string): this {
    this.assetsUrl = url;
    this.assetsFolder = folder;
    return this;
  }
  setEntryRoute(entry: AppViewRoute): this {
    this.pageUrls = list(entry.route);
    this.entry = entry;
    return this;
  }
  setApiRoutes(routes: AppControllerRoute[]): this {
    this.endpoints = routes.flatMap((route) =>
      list(route.method).flatMap((method) =>
        list(route.route).map((url) => ({
          method: method.toUpperCase(),
          url,
          answer: (request) => route.handler(request),
        })),
      ),
    );
    return this;
  }
}

function list<T>(oneOrMany: T | T[]): T[] {
  return Array.isArray(oneOrMany) ? oneOrMany : [oneOrMany];
}

import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { EnvironmentError, readEnvironment } from '../../src/config/environment.js';
import { tokenSettings } from '../../src/config/settings.js';
import { readSecrets } from '../../src/database/embedded/secrets.js';
import { TokensService } from '../../src/tenancy/tokens.service.js';
import { summarize } from './file-summary.js';
import { type ReplayOptions, readOptions, USAGE, UsageError } from './options.js';
import { replay } from './replay.js';
import { formatReport } from './report.js';
import { RetailFileError } from './retail-csv.js';
import { RequestRefusedError, ServiceClient, ServiceUnreachableError } from './service-client.js';
import { ServiceEndedError, startServiceProcess } from './service-process.js';

/** Ctrl-C, or the like. */
class StoppedError extends Error {
  constructor(readonly by: NodeJS.Signals) {
    super(`Stopped by ${by}.`);
  }
}

/** `npm run replay`: see docs/replay.md. */
async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), process.env);
  if (options === undefined) {
    process.stderr.write(`${USAGE}\n`);
    return;
  }
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      stopping.abort(new StoppedError(name));
    });
  }
  // Before anything is started: a file that can't be read is told at once.
  const summary = await summarize(options.file, options.shops, stopping.signal);
  const service = await obtainService(options, stopping);
  try {
    say(
      `Replaying ${path.basename(options.file)} as ${number(options.shops, 'shop')} with ${number(options.tills, 'till')} each, at ${service.url}`,
    );
    const { tokens, operatorToken } = service;
    const client = new ServiceClient(service.url, stopping.signal);
    const report = await replay(options, summary, { client, tokens, operatorToken }, stopping.signal, say);
    process.stdout.write(`${formatReport(report)}\n`);
    if (report.differences.count > 0) process.exitCode = 1;
  } finally {
    await service.stop();
  }
}

interface Service {
  readonly url: string;
  readonly tokens: TokensService;
  readonly operatorToken: string;
  stop(): Promise<void>;
}

/** The service that was named, or one of the tool's own. */
async function obtainService({ url, operatorToken }: ReplayOptions, stopping: AbortController): Promise<Service> {
  if (url !== undefined) {
    const tokens = tokensOfNamedService();
    return {
      url,
      tokens,
      operatorToken: operatorToken ?? (await signOperatorToken(tokens)),
      stop: () => Promise.resolve(),
    };
  }
  say('Starting the service on an embedded database of its own …');
  const service = await startServiceProcess(stopping.signal, (error) => {
    stopping.abort(error);
  });
  return { ...service, operatorToken: await signOperatorToken(service.tokens) };
}

/** Signs as the named service does: by the same environment, or by the secret that it keeps in DATA_DIR. */
function tokensOfNamedService(): TokensService {
  const environment = readEnvironment(process.env);
  const kept = environment.tokens.kind === 'generated' ? readSecrets(environment.dataDir) : undefined;
  if (environment.tokens.kind === 'generated' && !kept) {
    throw new UsageError(
      '--url needs the secret of that service: set JWT_SECRET, or DATA_DIR if it is an embedded one.',
    );
  }
  const tokens = new TokensService(tokenSettings(environment, kept?.jwtSecret));
  if (!tokens.signs) throw new UsageError('--url can not be used where an identity provider signs the tokens.');
  return tokens;
}

function signOperatorToken(tokens: TokensService): Promise<string> {
  return tokens.sign({ role: 'operator', userId: randomUUID() });
}

function number(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** What a person typed, gave or stopped is told in a line; the rest is a fault, with its stack. */
const FOR_PEOPLE = [
  UsageError,
  EnvironmentError,
  RetailFileError,
  RequestRefusedError,
  ServiceUnreachableError,
  ServiceEndedError,
  StoppedError,
];

main().catch((error: unknown) => {
  const isForPeople = error instanceof Error && FOR_PEOPLE.some((known) => error instanceof known);
  process.stderr.write(`${isForPeople ? error.message : String((error as Error | undefined)?.stack ?? error)}\n`);
  process.exitCode = error instanceof StoppedError ? 130 : 1;
});

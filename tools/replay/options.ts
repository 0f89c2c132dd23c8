import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** Of the sources: the compiler copies no data, and this file runs from dist/tools/replay. */
const SAMPLE = fileURLToPath(new URL('../../../tools/replay/data/online-retail-sample.csv', import.meta.url));

const SHOPS_MAX = 50;
const TILLS_MAX = 50;

export const USAGE = `Usage: npm run replay -- [options]
  --file <path>            Online Retail as CSV, or .csv.gz (default: the sample that comes with the project)
  --exact                  invent no opening balances: stock starts at zero and may go below
  --shops <n>              businesses, each a tenant of its own: 1 to ${SHOPS_MAX} (default 2)
  --tills <n>              tills of each shop: 1 to ${TILLS_MAX} (default 3)
  --url <url>              a running service; else one is started, on an embedded database that is removed afterwards
  --operator-token <jwt>   with --url, to make the tenants; or OPERATOR_TOKEN; else signed like the shops' own tokens
With --url the shops' tokens are signed with JWT_SECRET, or with the secret that the embedded service keeps in DATA_DIR.`;

export interface ReplayOptions {
  readonly file: string;
  readonly exact: boolean;
  readonly shops: number;
  readonly tills: number;
  /** Of the service to use; undefined if the tool is to start its own. */
  readonly url: string | undefined;
  readonly operatorToken: string | undefined;
}

/** What a person typed or set is wrong: told in a line, without a stack. */
export class UsageError extends Error {}

/**
 * @returns undefined if help was asked for
 * @throws UsageError naming the option and its shape.
 */
export function readOptions(args: string[], variables: NodeJS.ProcessEnv): ReplayOptions | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  const operatorToken = values['operator-token'] ?? variables['OPERATOR_TOKEN'];
  if (values['operator-token'] !== undefined && values.url === undefined) {
    throw new UsageError('--operator-token goes with --url: a service that the tool starts has none yet.');
  }
  return {
    file: values.file ?? SAMPLE,
    exact: values.exact,
    shops: wholeNumber('--shops', values.shops, SHOPS_MAX),
    tills: wholeNumber('--tills', values.tills, TILLS_MAX),
    url: values.url === undefined ? undefined : origin(values.url),
    operatorToken: operatorToken === '' ? undefined : operatorToken,
  };
}

function parse(args: string[]): ReturnType<typeof parseKnown> {
  try {
    return parseKnown(args);
  } catch (cause) {
    throw new UsageError(`${cause instanceof Error ? cause.message : String(cause)}\n\n${USAGE}`, { cause });
  }
}

function parseKnown(args: string[]) {
  return parseArgs({
    args,
    options: {
      file: { type: 'string' },
      exact: { type: 'boolean', default: false },
      shops: { type: 'string', default: '2' },
      tills: { type: 'string', default: '3' },
      url: { type: 'string' },
      'operator-token': { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  }).values;
}

function wholeNumber(option: string, text: string, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= 1 && value <= max) return value;
  throw new UsageError(`${option} must be a whole number from 1 to ${max}.`);
}

function origin(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new UsageError('--url must be an http or https URL, for example http://127.0.0.1:8001.');
  }
  return url.href.replace(/\/+$/, '');
}

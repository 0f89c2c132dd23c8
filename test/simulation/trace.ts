import type { Sent } from './network.js';
import type { Step } from './plan.js';
import type { Answer } from './servers.js';

/** A line of the trace: what is asked of whom. */
export function stepText(step: Step, device: string): string {
  const { does, ...rest } = step;
  const said = Object.entries(rest).filter(([name]) => name !== 'device');
  return [...('device' in step ? [device] : []), does, ...said.map(([name, value]) => `${name}=${String(value)}`)].join(
    ' ',
  );
}

interface Body {
  readonly operations?: readonly { readonly lamport_ts: number; readonly client_lamport?: number }[];
  readonly products?: readonly { readonly lamport_ts: number }[];
  readonly payments?: readonly { readonly lamport_ts: number }[];
  readonly conflicts?: readonly unknown[];
  readonly last_lamport?: number;
  readonly next_lamport?: number;
  readonly results?: readonly {
    readonly status: string;
    readonly server_lamport: number | null;
    readonly code?: string;
  }[];
}

/** A line of the trace: what the server made of a request. */
export function answerText(sent: Sent, answer: Answer): string {
  return `${sent.from} → ${sent.path} ${requestText(sent)} ⇒ ${answer.status} ${resultText(answer)}`;
}

function requestText({ path, body }: Sent): string {
  if (body === '') return '';
  const { last_lamport, operations = [], products = [], payments = [] } = JSON.parse(body) as Body;
  return path === '/sync/pull'
    ? `from ${last_lamport}`
    : `of ${[...operations, ...products, ...payments].map(({ lamport_ts }) => lamport_ts).join(', ')}`;
}

function resultText({ status, body, headers }: Answer): string {
  if (status !== 200) return /"code":"(\w+)"/.exec(body)?.[1] ?? '';
  if (!headers['content-type']?.includes('application/json')) return '';
  const {
    results,
    next_lamport,
    operations = [],
    products = [],
    payments = [],
    conflicts = [],
  } = JSON.parse(body) as Body;
  if (!results)
    return `to ${next_lamport}: ${operations.length} operations, ${products.length} products, ${payments.length} payments, ${conflicts.length} conflicts`;
  return results.map((one) => [one.status, one.code ?? one.server_lamport].join(' ')).join(', ');
}

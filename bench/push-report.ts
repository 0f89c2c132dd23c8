import { cpu, machineLine, range, whole } from './figures.js';
import type { Machine } from './machine.js';
import type { MemoryGrowth } from './memory-growth.js';
import type { MemoryReport, PushResult, PushScenario, RatioReport, SideReport, StoreReport } from './push-bench.js';
import type { StoreWay } from './store-side.js';
import { formatTable } from './table.js';

/** All that a run found out; `--json` writes it as it is. */
export interface PushReport {
  readonly benchmark: 'push';
  /** When the run ended, ISO 8601. */
  readonly at: string;
  readonly machine: Machine;
  /** What carries queue and signals. */
  readonly queue: 'postgres' | 'redis';
  readonly rounds: number;
  readonly result: PushResult;
}

const MEMORY_SHOWN_EVERY_OPERATIONS = 20_000;

export function printPushReport({ machine, queue, rounds, result }: PushReport): void {
  const { scenario, service, roundTripsPerPush, stores, ratio, memory } = result;
  const store = (figure: (report: StoreReport) => string): string[] => stores.map(figure);
  const rows = [
    ['', 'service', ...store(describeWay)],
    ['operations/s, median', ...both(service, stores, (side) => whole(side.operationsPerSecond.median))],
    ['  least to most of a round', ...both(service, stores, (side) => range(side.operationsPerSecond))],
    ['p50 of a push, ms', ...both(service, stores, (side) => side.pushMs.p50.toFixed(1))],
    ['p99 of a push, ms', ...both(service, stores, (side) => side.pushMs.p99.toFixed(1))],
    ['CPU s per 1,000: service', cpu(service.cpuSecondsPerThousand.service)],
    ['CPU s per 1,000: PostgreSQL', ...both(service, stores, (side) => cpu(side.cpuSecondsPerThousand.postgres))],
    ['CPU s per 1,000: client', ...both(service, stores, (side) => cpu(side.cpuSecondsPerThousand.client))],
    ['WAL bytes per push', ...both(service, stores, (side) => whole(side.walBytesPerPush))],
    ['SQL round trips per push', trips(roundTripsPerPush), ...store(({ form }) => (form === 'cte' ? '1' : '5'))],
  ];
  const lines = [
    '',
    `push: ${describeScenario(scenario)}, ${rounds} rounds, queue on ${queue === 'redis' ? 'Redis' : 'PostgreSQL'}`,
    machineLine(machine),
    '',
    formatTable(rows),
    '',
    `service / bare store on one connection: ${describeRatio(ratio.ofOneConnection)}`,
    `service / best form of the bare store: ${describeRatio(ratio.ofBest)}`,
    ...(memory ? ['', ...memoryLines(memory)] : []),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

export function describeScenario(scenario: PushScenario): string {
  const { log } = scenario;
  return `${describeLoad(scenario)}, ${log === 0 ? 'an empty log' : `a log of ${whole(log)}`}`;
}

export function describeLoad({ clients, tenants, batch }: PushScenario): string {
  const clientsText = clients === 1 ? 'one client' : `${clients} clients`;
  return `${batch} a push, ${clientsText} of ${tenants === 1 ? 'one tenant' : `${tenants} tenants`}`;
}

export function describeWay({ form, connections }: StoreWay): string {
  return `${form} × ${connections}`;
}

/** A row for each load. */
export function formatResults(results: readonly PushResult[]): string {
  const head = [
    ...['batch', 'clients', 'tenants', 'op/s', 'p50', 'p99', '/ one', '/ best', 'CPU Node', 'CPU PG'],
    ...['trips', 'WAL B', 'MiB'],
  ];
  const rows = results.map(({ scenario, service, ratio, roundTripsPerPush, memory }) => [
    `${scenario.batch}`,
    `${scenario.clients}`,
    `${scenario.tenants}`,
    whole(service.operationsPerSecond.median),
    service.pushMs.p50.toFixed(1),
    service.pushMs.p99.toFixed(1),
    ratio.ofOneConnection.median.toFixed(2),
    ratio.ofBest.median.toFixed(2),
    cpu(service.cpuSecondsPerThousand.service),
    cpu(service.cpuSecondsPerThousand.postgres),
    trips(roundTripsPerPush),
    whole(service.walBytesPerPush),
    memory ? whole(memory.peakMiB) : '?',
  ]);
  return [
    formatTable([head, ...rows]),
    '',
    '/ one, / best: operations per second over those of the bare store on one connection, and in its best form.',
    'p50, p99: ms of a push. CPU: seconds per 1,000 operations. trips: SQL round trips of a push, WAL B: bytes of it.',
    'MiB: most memory of the service.',
  ].join('\n');
}

function trips(roundTrips: number | undefined): string {
  return roundTrips === undefined ? '?' : roundTrips.toFixed(1);
}

function both(service: SideReport, stores: readonly SideReport[], figure: (side: SideReport) => string): string[] {
  return [service, ...stores].map(figure);
}

function describeRatio({ median, min, max, over }: RatioReport): string {
  return `${median.toFixed(3)} (${min.toFixed(3)} to ${max.toFixed(3)}; ${describeWay(over)})`;
}

function memoryLines({ startMiB, peakMiB, samples, growth }: MemoryReport): string[] {
  const shown = samples.filter(
    ({ operations }, index) =>
      Math.floor(operations / MEMORY_SHOWN_EVERY_OPERATIONS) >
      Math.floor((samples[index - 1]?.operations ?? 0) / MEMORY_SHOWN_EVERY_OPERATIONS),
  );
  const rows = [
    ['RSS of the service, MiB: start', startMiB.toFixed(0)],
    ...shown.map(({ operations, usedMiB }) => [`  after ${whole(operations)}`, usedMiB.toFixed(0)]),
    ['  peak', peakMiB.toFixed(0)],
  ];
  return [formatTable(rows), growth ? verdict(growth) : 'Too few operations to tell whether memory grows.'];
}

export function verdict(growth: MemoryGrowth): string {
  const change = `${growth.secondQuarterMiB.toFixed(0)} to ${growth.secondHalfMiB.toFixed(0)} MiB from the second quarter to the second half`;
  const rate = `${signed(growth.growthMiBPer100kOperations)} MiB per 100,000 operations`;
  return `memory ${growth.flat ? 'is flat' : 'GROWS'}: ${change}, ${rate}`;
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(1)}`;
}

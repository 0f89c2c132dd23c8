import { cpu, machineLine, range, whole } from './figures.js';
import type { Machine } from './machine.js';
import type { MemoryGrowth, MemorySample } from './memory-growth.js';
import type { Spread } from './statistics.js';
import { formatTable } from './table.js';

/** All that a run found out; `--json` writes it as it is. */
export interface PushReport {
  readonly benchmark: 'push';
  /** When the run ended, ISO 8601. */
  readonly at: string;
  readonly machine: Machine;
  readonly options: {
    readonly tenants: number;
    readonly clients: number;
    readonly batch: number;
    readonly rounds: number;
    /** Measured on each side, which the opening stock and the warm-up are not. */
    readonly operations: number;
  };
  readonly service: SideReport;
  readonly store: SideReport;
  /** Operations per second of the service over those of the bare store, round by round. */
  readonly ratio: Spread;
  /** Of the service; undefined where there is no /proc. */
  readonly memory: MemoryReport | undefined;
}

export interface SideReport {
  readonly operationsPerSecond: Spread;
  /** Of the pushes, or transactions, of all rounds. */
  readonly pushMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** While this side had its turn. */
  readonly cpuSecondsPerThousand: {
    readonly service: number | undefined;
    readonly postgres: number | undefined;
    /** Of the benchmark's own process. */
    readonly client: number;
  };
  readonly rounds: readonly { readonly operations: number; readonly seconds: number }[];
}

export interface MemoryReport {
  /** Before the first push. */
  readonly startMiB: number;
  readonly endMiB: number;
  readonly peakMiB: number;
  readonly samples: readonly MemorySample[];
  /** undefined if the run was too short to tell. */
  readonly growth: MemoryGrowth | undefined;
}

const MEMORY_SHOWN_EVERY_OPERATIONS = 20_000;

export function printPushReport(report: PushReport): void {
  const { machine, options, service, store, ratio, memory } = report;
  const rows = [
    ['', 'service', 'bare store'],
    ['operations/s, median', whole(service.operationsPerSecond.median), whole(store.operationsPerSecond.median)],
    ['  least to most of a round', range(service.operationsPerSecond), range(store.operationsPerSecond)],
    ['p50 of a push, ms', service.pushMs.p50.toFixed(1), store.pushMs.p50.toFixed(1)],
    ['p99 of a push, ms', service.pushMs.p99.toFixed(1), store.pushMs.p99.toFixed(1)],
    ['CPU s per 1,000: service', cpu(service.cpuSecondsPerThousand.service), ''],
    [
      'CPU s per 1,000: PostgreSQL',
      cpu(service.cpuSecondsPerThousand.postgres),
      cpu(store.cpuSecondsPerThousand.postgres),
    ],
    ['CPU s per 1,000: client', cpu(service.cpuSecondsPerThousand.client), cpu(store.cpuSecondsPerThousand.client)],
  ];
  const lines = [
    '',
    `push: ${whole(options.operations)} operations in ${options.rounds} rounds, ${options.batch} a push, ` +
      `${options.clients} devices of ${options.tenants === 1 ? 'one tenant' : `${options.tenants} tenants each`} at once`,
    machineLine(machine),
    '',
    formatTable(rows),
    '',
    `service / bare store: ${ratio.median.toFixed(3)} (${ratio.min.toFixed(3)} to ${ratio.max.toFixed(3)})`,
    ...(memory ? ['', ...memoryLines(memory)] : []),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

function memoryLines({ startMiB, endMiB, peakMiB, samples, growth }: MemoryReport): string[] {
  const shown = samples.filter(
    ({ operations }, index) =>
      Math.floor(operations / MEMORY_SHOWN_EVERY_OPERATIONS) >
      Math.floor((samples[index - 1]?.operations ?? 0) / MEMORY_SHOWN_EVERY_OPERATIONS),
  );
  const rows = [
    ['RSS of the service, MiB: start', startMiB.toFixed(0)],
    ...shown.map(({ operations, usedMiB }) => [`  after ${whole(operations)}`, usedMiB.toFixed(0)]),
    ['  end', endMiB.toFixed(0)],
    ['  peak', peakMiB.toFixed(0)],
  ];
  return [formatTable(rows), growth ? verdict(growth) : 'Too few operations to tell whether memory grows.'];
}

function verdict(growth: MemoryGrowth): string {
  const change = `${growth.secondQuarterMiB.toFixed(0)} to ${growth.secondHalfMiB.toFixed(0)} MiB from the second quarter to the second half`;
  const rate = `${signed(growth.growthMiBPer100kOperations)} MiB per 100,000 operations`;
  return `memory ${growth.flat ? 'is flat' : 'GROWS'}: ${change}, ${rate}`;
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(1)}`;
}

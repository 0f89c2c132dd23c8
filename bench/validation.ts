import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { validateSync } from 'class-validator';
import { OperationDto, PUSH_ENTRIES_MAX, type PushRequestDto } from '../src/sync/push/push.dto.js';
import { toPushCommand } from '../src/sync/push/push.wire.js';
import { parseJsonBody } from '../src/wire/json-body.js';
import { BenchmarkError } from './environment.js';
import { wholeNumber } from './options.js';
import { type Spread, spreadOf } from './statistics.js';
import { formatTable } from './table.js';
import { Workload } from './workload.js';

const USAGE = `Usage: npm run bench -- validation [options]
  --batch <n>    operations of a push, at most ${PUSH_ENTRIES_MAX} (100)
  --rounds <n>   turns that each way takes (500)
  --json <file>  also write the results there`;

const WARM_UP_ROUNDS = 100;

/** What the service does with a push before it asks the database, in this process alone: the ways take turns. */
export function benchmarkValidation(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      batch: { type: 'string', default: '100' },
      rounds: { type: 'string', default: '500' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) process.stdout.write(`${USAGE}\n`);
  else {
    const batch = wholeNumber('--batch', values.batch, PUSH_ENTRIES_MAX, USAGE);
    const report = measure(batch, wholeNumber('--rounds', values.rounds, 100_000, USAGE));
    process.stdout.write(`A push of ${batch} operations, Node ${process.versions.node}\n\n${toTable(report)}\n`);
    if (values.json !== undefined) {
      writeFileSync(values.json, `${JSON.stringify({ benchmark: 'validation', batch, ms: report }, undefined, 2)}\n`);
    }
  }
  return Promise.resolve();
}

/** Milliseconds of each way, by its name. */
type Report = Readonly<Record<string, Spread>>;

function measure(batch: number, rounds: number): Report {
  const till = { tenantId: randomUUID(), deviceId: randomUUID(), userId: randomUUID(), clock: 0, base: 0 };
  const request: PushRequestDto = {
    operations: new Workload().operations(till, batch),
    client_lamport: till.clock,
    device_id: till.deviceId,
    sent_at: new Date().toISOString(),
    protocol_version: 1,
  };
  const text = JSON.stringify(request);
  const body = Buffer.from(text);
  const instances = (request.operations ?? []).map((operation) => Object.assign(new OperationDto(), operation));
  const ways: Readonly<Record<string, () => unknown>> = {
    'JSON.parse': () => JSON.parse(text) as unknown,
    'the body, with its doubled keys found': () => parseJsonBody(body),
    'class-validator': () => instances.flatMap((instance) => validateSync(instance, { forbidUnknownValues: false })),
    'the fields’ own questions, and reading': () => toPushCommand(till, request),
  };
  if (instances.some((instance) => validateSync(instance).length > 0))
    throw new BenchmarkError('An operation of the workload is not valid.');
  const durationsMs = new Map<string, number[]>(Object.keys(ways).map((name) => [name, []]));
  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    for (const [name, work] of Object.entries(ways)) {
      const startedMs = performance.now();
      work();
      if (round >= 0) durationsMs.get(name)?.push(performance.now() - startedMs);
    }
  }
  return Object.fromEntries([...durationsMs].map(([name, durations]) => [name, spreadOf(durations)]));
}

function toTable(report: Report): string {
  const rows = Object.entries(report).map(([name, { median, min }]) => [name, median.toFixed(3), min.toFixed(3)]);
  return formatTable([['', 'median, ms', 'least'], ...rows]);
}

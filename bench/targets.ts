import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { EVENTS_MAX } from './event-log.js';
import { machineLine } from './figures.js';
import { wholeNumber } from './options.js';
import { pullTargets } from './pull.js';
import { OPERATIONS_MAX, ROUNDS_MAX, SECONDS_MAX } from './push.js';
import { pushTargets } from './push-targets.js';
import { formatTable } from './table.js';
import { TARGET_HEADINGS, type TargetFindings, type TargetOptions, targetRow } from './target.js';

const USAGE = `Usage: npm run bench -- [targets] [options]
  --rounds <n>        turns that service and bare store take for each figure (5)
  --seconds <n>       of each turn of the service (2)
  --operations <n>    pushed to see whether memory grows (500000; 1000000 for a verdict that lasts)
  --events <n>        in the log that is pulled from (200000)
  --json <file>       also write the results there`;

/** Each starts what it needs. */
const BENCHMARKS: readonly ((options: TargetOptions) => Promise<TargetFindings>)[] = [pushTargets, pullTargets];

/** What push and pull are to reach, and what they do. */
export async function benchmarkTargets(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '2' },
      operations: { type: 'string', default: '500000' },
      events: { type: 'string', default: '200000' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const options: TargetOptions = {
    rounds: wholeNumber('--rounds', values.rounds, ROUNDS_MAX, USAGE),
    seconds: wholeNumber('--seconds', values.seconds, SECONDS_MAX, USAGE),
    operations: wholeNumber('--operations', values.operations, OPERATIONS_MAX, USAGE),
    events: wholeNumber('--events', values.events, EVENTS_MAX, USAGE),
  };
  const findings: TargetFindings[] = [];
  for (const benchmark of BENCHMARKS) findings.push(await benchmark(options));
  process.stdout.write(`\n${toText(findings)}\n`);
  if (values.json === undefined) return;
  const report = { benchmark: 'targets', at: new Date().toISOString(), options, findings };
  writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
}

function toText(findings: readonly TargetFindings[]): string {
  const rows = findings.flatMap((found) => found.targets.map(targetRow));
  const machine = findings.slice(0, 1).map((found) => machineLine(found.machine));
  const tables = findings.flatMap((found) => found.table ?? []);
  return [...machine, formatTable([TARGET_HEADINGS, ...rows]), ...tables].join('\n\n');
}

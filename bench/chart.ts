import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { BenchmarkError } from './environment.js';
import { machineLine, whole } from './figures.js';
import type { MatrixReport } from './matrix.js';
import type { PushResult, RatioReport } from './push-bench.js';
import { describeLoad, type PushReport } from './push-report.js';

const USAGE = `Usage: npm run bench -- chart --from <file> [options]
  --from <file>  what bench -- push, or bench -- matrix, has written with --json
  --to <file>    the chart (docs/performance.svg)`;

/** Draws what was measured before. */
export function drawChart(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      from: { type: 'string' },
      to: { type: 'string', default: 'docs/performance.svg' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) process.stdout.write(`${USAGE}\n`);
  else if (values.from === undefined) throw new BenchmarkError(`--from is missing.\n\n${USAGE}`);
  else writeFileSync(values.to, toSvg(JSON.parse(readFileSync(values.from, 'utf8')) as PushReport | MatrixReport));
  return Promise.resolve();
}

const WIDTH = 860;
const LEFT = 270;
const RIGHT = 120;
const TOP = 64;
const ROW = 40;
const BAR = 13;
const FOOT = 44;

/** The service's operations per second over the bare store's, a row for each load; lines show the least to the most. */
export function toSvg(
  report: Pick<PushReport, 'at' | 'machine' | 'result'> | Pick<MatrixReport, 'at' | 'machine' | 'results'>,
): string {
  const results = 'results' in report ? report.results : [report.result];
  const ratios = results.flatMap(({ ratio }) => [ratio.ofOneConnection.max, ratio.ofBest.max]);
  const scale = (WIDTH - LEFT - RIGHT) / Math.max(1, ...ratios);
  const x = (ratio: number): string => (LEFT + ratio * scale).toFixed(1);
  const bottom = TOP + results.length * ROW;
  const height = bottom + FOOT;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">
<title>Pushes: operations per second of the service over those of the bare store</title>
<style>
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .quiet { font-size: 12px; fill: #59636e; }
  .end { text-anchor: end; }
  .middle { text-anchor: middle; }
  .one { fill: #0969da; }
  .best { fill: #bf8700; }
  .line { stroke: #1f2328; }
  .limit { stroke: #59636e; stroke-dasharray: 4 3; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .quiet { fill: #9198a1; }
    .one { fill: #4493f8; }
    .best { fill: #d29922; }
    .line { stroke: #f0f6fc; }
    .limit { stroke: #9198a1; }
  }
</style>
<rect class="one" x="${LEFT}" y="12" width="${BAR}" height="${BAR}"/>
<text x="${LEFT + 20}" y="23">over the bare store on one connection</text>
<rect class="best" x="${LEFT + 300}" y="12" width="${BAR}" height="${BAR}"/>
<text x="${LEFT + 320}" y="23">over its best form</text>
${results.map((result, index) => rowOf(result, TOP + index * ROW, x)).join('\n')}
<line class="line" x1="${LEFT}" y1="${TOP - 6}" x2="${LEFT}" y2="${bottom}"/>
<line class="limit" x1="${x(1)}" y1="${TOP - 6}" x2="${x(1)}" y2="${bottom}"/>
<text class="quiet middle" x="${x(1)}" y="${TOP - 12}">1: the bare store</text>
<text class="quiet" x="0" y="${bottom + 30}">${report.at.slice(0, 10)}, ${machineLine(report.machine)}</text>
</svg>
`;
}

function rowOf({ scenario, service, ratio }: PushResult, y: number, x: (ratio: number) => string): string {
  const middle = y + BAR + 4;
  return `<text class="end" x="${LEFT - 10}" y="${middle}">${describeLoad(scenario)}</text>
${barOf('one', ratio.ofOneConnection, y, x)}
${barOf('best', ratio.ofBest, y + BAR + 1, x)}
<text class="quiet end" x="${WIDTH}" y="${middle}">${whole(service.operationsPerSecond.median)} operations/s</text>`;
}

function barOf(
  kind: 'one' | 'best',
  { median, min, max }: RatioReport,
  y: number,
  x: (ratio: number) => string,
): string {
  const width = (Number(x(median)) - LEFT).toFixed(1);
  const middle = y + BAR / 2;
  return `<rect class="${kind}" x="${LEFT}" y="${y}" width="${width}" height="${BAR}"><title>${median.toFixed(2)}</title></rect>
<line class="line" x1="${x(min)}" y1="${middle}" x2="${x(max)}" y2="${middle}"/>`;
}

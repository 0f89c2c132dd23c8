import type { ReplayReport } from './replay.js';

/** The result as text: a table, the first differences, and how many there are on the last line. */
export function formatReport(report: ReplayReport): string {
  const { tally, differences } = report;
  const rows: (readonly [label: string, value: string])[] = [
    ['lines read', whole(tally.lines)],
    ['skipped (bad debts)', whole(tally.skipped)],
    ['operations pushed', whole(tally.operations)],
    ['  of these opening balances', whole(tally.openings)],
    ['  of these cancellations that name their sale', whole(tally.references)],
    ['batches', whole(tally.batches)],
    ['  of these pushed twice', whole(tally.batchesRepeated)],
    ['accepted', whole(tally.accepted)],
    ['duplicates', whole(tally.duplicates)],
    ['rejected', whole(tally.rejected)],
    ['oversold warnings', whole(tally.oversold)],
    ['push seconds', decimal(report.pushSeconds)],
    ['operations/s', whole(tally.operations / report.pushSeconds)],
    ['  while the tills pulled events', whole(report.eventsPulledByTills)],
    ['events pulled by new devices', whole(report.eventsPulled)],
    ['pull seconds', decimal(report.pullSeconds)],
    ['events/s', whole(report.eventsPulled / report.pullSeconds)],
    ['products compared', whole(report.productsCompared)],
    ['  of these asked for at the service too', whole(report.stocksAsked)],
    ['peak memory of the replay, MiB', whole(process.resourceUsage().maxRSS / 1_024)],
  ];
  const labelWidth = Math.max(...rows.map(([label]) => label.length));
  const valueWidth = Math.max(...rows.map(([, value]) => value.length));
  return [
    ...rows.map(([label, value]) => `  ${label.padEnd(labelWidth)}  ${value.padStart(valueWidth)}`),
    ...differences.shown,
    ...(differences.count > differences.shown.length ? ['…'] : []),
    `${whole(differences.count)} ${differences.count === 1 ? 'difference' : 'differences'}`,
  ].join('\n');
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-GB');
}

function decimal(value: number): string {
  return value.toLocaleString('en-GB', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

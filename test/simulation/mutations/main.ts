import { parseArgs } from 'node:util';
import { tryMutation } from './mutant.js';
import { MUTATIONS } from './mutations.js';

const USAGE = `Usage: npm run simulate:mutations -- [--only <part of a name>]
Builds faults into copies of the project, one at a time, and sees whether the simulation catches each within its seeds.
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { only: { type: 'string', default: '' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const chosen = MUTATIONS.filter(({ name }) => name.includes(values.only));
  let caught = 0;
  for (const mutation of chosen) {
    const { seeds, fault } = await tryMutation(mutation);
    if (seeds !== undefined) caught += 1;
    const outcome =
      seeds === undefined ? `NOT CAUGHT within ${mutation.seedsMax}` : `seed ${seeds} of ${mutation.seedsMax}`;
    process.stdout.write(`${outcome.padEnd(24)} ${mutation.name}\n${''.padEnd(25)}${fault.slice(0, 140)}\n`);
  }
  process.stdout.write(`${caught} of ${chosen.length} caught\n`);
  if (caught < chosen.length) process.exitCode = 1;
}

await main();

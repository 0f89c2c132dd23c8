import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { RequestRefusedError, ServiceUnreachableError } from '../replay/service-client.js';
import { ServiceEndedError, startServiceProcess } from '../replay/service-process.js';
import { Narrator } from './narrator.js';
import { paintFor } from './screen.js';
import { ServiceApi } from './service-api.js';
import { type OpenQuestion, Story } from './story.js';

const USAGE = `Usage: npm run demo -- [--once]
  --once   settle the last conflict, too, and end; so it does without a terminal`;

/** Ctrl-C, or the like. */
class StoppedError extends Error {
  constructor(readonly by: NodeJS.Signals) {
    super(`Stopped by ${by}.`);
  }
}

/** Whoever read what it tells has gone, as `head` does. */
class ReaderGoneError extends Error {}

/** `npm run demo`: conflicts from end to end, on a service and a database of its own; see docs/conflicts.md. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { once: { type: 'boolean', default: false }, help: { type: 'boolean' } } });
  if (values.help) {
    process.stderr.write(`${USAGE}\n`);
    return;
  }
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      stopping.abort(new StoppedError(name));
    });
  }
  process.stdout.on('error', () => {
    stopping.abort(new ReaderGoneError());
  });
  const { signal } = stopping;
  const narrator = new Narrator(
    (line) => process.stdout.write(`${line}\n`),
    paintFor(process.stdout.isTTY, process.env),
  );
  narrator.say('Starting the service on an embedded database of its own …');
  const service = await startServiceProcess(signal, (error) => {
    stopping.abort(error);
  });
  try {
    const api = new ServiceApi(service.url, signal);
    const story = await Story.open({ api, tokens: service.tokens, narrator, signal });
    await story.stockTheShelf();
    await story.soldAndReserved();
    await story.countedMeanwhile();
    const question = await story.soldTwice();
    if (values.once || !process.stdout.isTTY) {
      narrator.heading('The staff decide');
      narrator.say(`POST /sync/conflicts/{id}/resolve ${JSON.stringify(question.decision)}`);
      await api.resolve(question.staffToken, question.conflictId, question.decision);
      await story.resolved(await story.conflict(question.conflictId));
      await story.auditBooks();
      return;
    }
    tellHowToDecide(narrator, service.url, question);
    await untilStopped(signal, async () => {
      await story.resolved(await story.decidedConflict(question.conflictId));
      await story.auditBooks();
      narrator.gap();
      narrator.say(`The service stays at ${service.url} until Ctrl-C.`);
      await aborted(signal);
    });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    await service.stop();
  }
}

function tellHowToDecide(narrator: Narrator, url: string, { conflictId, staffToken, decision }: OpenQuestion): void {
  narrator.heading('Your turn: you are the staff');
  narrator.say(`1. Open ${url}/docs, choose Authorize, and paste this token:`);
  narrator.verbatim(staffToken);
  narrator.say(
    '2. Under "conflicts", open POST /sync/conflicts/{id}/resolve, choose "Try it out", and give it this id:',
  );
  narrator.verbatim(conflictId);
  narrator.say('3. Paste this body, by which the restaurant gets its cheeses, and choose "Execute":');
  narrator.verbatim(JSON.stringify(decision, null, 2));
  narrator.say(
    'Or decide otherwise: {"resolution": "BOTH"} lets both stand, and stock goes below zero; ' +
      '{"resolution": "NEITHER"} takes both back.',
  );
  narrator.gap();
  narrator.say('Waiting for your decision. Ctrl-C ends the service and removes its database.');
}

/** Does `work`; from here on Ctrl-C is how people end it, and no failure. */
async function untilStopped(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(signal.reason instanceof StoppedError)) throw error;
  }
}

/** @throws the signal's reason, when it aborts. */
async function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });
}

/** What a person typed, or stopped, is told in a line; the rest is a fault, with its stack. */
const FOR_PEOPLE = [RequestRefusedError, ServiceUnreachableError, ServiceEndedError, StoppedError];

main().catch((error: unknown) => {
  process.exitCode = error instanceof StoppedError ? 130 : 1;
  if (error instanceof ReaderGoneError) return;
  const isUsage = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  if (isUsage) process.stderr.write(`${error.message}\n\n${USAGE}\n`);
  else if (error instanceof Error && FOR_PEOPLE.some((known) => error instanceof known))
    process.stderr.write(`${error.message}\n`);
  else process.stderr.write(`${String((error as Error | undefined)?.stack ?? error)}\n`);
});

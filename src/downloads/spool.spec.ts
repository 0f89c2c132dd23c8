import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Spool } from './spool.js';

async function readAll(spool: Spool): Promise<string> {
  let text = '';
  for await (const bytes of spool.follow()) text += bytes.toString('latin1');
  return text;
}

describe('Spool', () => {
  it('hands out what is written, in order and whole, whoever is the faster', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(200_000), { maxLength: 8 }), fc.boolean(), async (lengths, readsFirst) => {
        const spool = await Spool.open();
        const pieces = lengths.map((length, index) => String.fromCharCode(97 + index).repeat(length));
        const early = readsFirst ? readAll(spool) : undefined;
        for (const piece of pieces) await spool.append(Buffer.from(piece));
        spool.end();
        expect((await (early ?? readAll(spool))) === pieces.join('')).toBe(true);
        await spool.close();
      }),
      { numRuns: 30 },
    );
  });

  it('ends for whoever waits for more when it is closed', async () => {
    const spool = await Spool.open();
    await spool.append(Buffer.from('some'));
    const reading = readAll(spool);
    await new Promise(setImmediate);
    await spool.close();
    await spool.close();
    expect(await reading).toBe('some');
  });

  it('leaves no file behind that anybody could find', async () => {
    const names = (): string[] => readdirSync(tmpdir()).filter((name) => /^agrotour-[0-9a-f-]{36}$/.test(name));
    const before = names();
    const spool = await Spool.open();
    await spool.append(Buffer.from('some'));
    expect(names()).toEqual(before);
    await spool.close();
  });
});

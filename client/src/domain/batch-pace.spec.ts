import { expect, it } from '@jest/globals';
import { BatchPace } from './batch-pace.js';

it('halves what goes into a push that does not get through, down to some, and doubles it again after one that does', () => {
  const pace = new BatchPace({ entriesMax: 500, bytesMax: 262_144 });
  const entries = (): number => pace.now.entriesMax;
  expect(pace.now).toEqual({ entriesMax: 500, bytesMax: 262_144 });
  pace.slow();
  expect(pace.now).toEqual({ entriesMax: 250, bytesMax: 131_072 });
  for (let time = 0; time < 10; time += 1) pace.slow();
  expect(entries()).toBe(16);
  pace.quicken();
  expect(entries()).toBe(32);
  for (let time = 0; time < 10; time += 1) pace.quicken();
  expect(entries()).toBe(500);
});

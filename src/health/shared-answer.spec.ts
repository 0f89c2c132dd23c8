import { expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { SharedAnswer } from './shared-answer.js';

it('is found out once for all who ask at the same time, and again after a while', async () => {
  let times = 0;
  const answer = new SharedAnswer(async () => {
    await sleep(20);
    return (times += 1);
  }, 50);
  expect(await Promise.all([answer.get(), answer.get(), answer.get()])).toEqual([1, 1, 1]);
  expect(await answer.get()).toBe(1);
  await sleep(60);
  expect(await Promise.all([answer.get(), answer.get()])).toEqual([2, 2]);
});

it('is asked for again after a failure', async () => {
  let times = 0;
  const answer = new SharedAnswer(() => {
    times += 1;
    return times === 1 ? Promise.reject(new Error('down')) : Promise.resolve('up');
  }, 10);
  await expect(Promise.all([answer.get(), answer.get()])).rejects.toThrow('down');
  await sleep(20);
  expect(await answer.get()).toBe('up');
});

import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { platform } from './environment.js';
import { SyncLoop } from './sync-loop.js';

describe('background sync', () => {
  it('leaves nothing behind of streams that were lost, however many', async () => {
    let signal: AbortSignal | undefined;
    let lost = 0;
    let tell = (): void => undefined;
    const enough = new Promise<void>((resolve) => (tell = resolve));
    const loop = new SyncLoop(
      (given) => {
        signal = given;
        return Promise.resolve({ lamport: 0 });
      },
      {
        listen: () => {
          lost += 1;
          if (lost === 50) tell();
          return Promise.reject(new Error('no stream'));
        },
      },
      { ...platform(), setTimer: (_ms, work) => platform().setTimer(0, work) },
      { pollMs: 0, pollWhileLiveMs: 0, gatherMs: 0 },
      () => undefined,
    );
    loop.start();
    await enough;
    if (!signal) throw new Error('It has not synced');
    expect(getEventListeners(signal, 'abort').length).toBeLessThanOrEqual(1);
    await loop.stop();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

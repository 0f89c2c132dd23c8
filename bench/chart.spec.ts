import { expect, it } from '@jest/globals';
import { toSvg } from './chart.js';
import type { PushResult } from './push-bench.js';

const machine = { cores: 2, processor: 'any', node: '20.20.2', postgres: '18.4', fsyncMs: 0.12 };

function aResult(ofOne: number, ofBest: number): PushResult {
  const side = {
    operationsPerSecond: { median: 6_642, min: 6_425, max: 7_275 },
    pushMs: { p50: 58, p99: 102, max: 140 },
    cpuSecondsPerThousand: { service: 0.12, postgres: 0.071, client: 0.01 },
    walBytesPerPush: 97_000,
    rounds: [],
  };
  const over = { form: 'cte', connections: 1 } as const;
  const ratio = (median: number) => ({ over, median, min: median / 2, max: median * 2 });
  return {
    scenario: { clients: 8, tenants: 1, batch: 100, log: 0 },
    service: side,
    roundTripsPerPush: 6,
    stores: [],
    ratio: { ofOneConnection: ratio(ofOne), ofBest: ratio(ofBest) },
    memory: undefined,
  };
}

function widths(svg: string, kind: string): number[] {
  return [...svg.matchAll(new RegExp(`<rect class="${kind}" [^>]*width="([\\d.]+)" height="13"><title>`, 'g'))].map(
    ([, width]) => Number(width),
  );
}

it('each load has a bar for each limit, as long as its ratio, and its operations per second', () => {
  const svg = toSvg({ at: '2026-11-23T12:00:00.000Z', machine, results: [aResult(0.4, 0.2), aResult(0.8, 0.1)] });
  const [first = 0, second = 0] = widths(svg, 'one');
  expect(second / first).toBeCloseTo(2, 1);
  expect(widths(svg, 'best').map((width) => width / first)).toEqual([expect.closeTo(0.5, 1), expect.closeTo(0.25, 1)]);
  expect(svg.match(/100 a push, 8 clients of one tenant/g)).toHaveLength(2);
  expect(svg).toContain('6,642 operations/s');
  expect(svg).toContain('2026-11-23, 2 cores');
});

it('a ratio above 1 makes room for itself', () => {
  const svg = toSvg({ at: '2026-11-23T12:00:00.000Z', machine, result: aResult(1.6, 0.5) });
  expect(Math.max(...widths(svg, 'one'))).toBeLessThan(860 - 270 - 120);
});

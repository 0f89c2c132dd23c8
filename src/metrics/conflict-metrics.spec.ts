import { describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { ConflictMetrics } from './conflict-metrics.js';

describe('ConflictMetrics', () => {
  it('counts what was found, who settled it, and what was left to people', async () => {
    const registry = new Registry();
    const metrics = new ConflictMetrics(registry);
    metrics.detected('OVERSELL');
    metrics.detected('OVERSELL');
    metrics.settled('OVERSELL', 'HARDCODED', 'A');
    metrics.suggested('STOCK_COUNT');
    const lines = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(lines).toEqual([
      'agrotour_conflicts_detected_total{kind="OVERSELL"} 2',
      'agrotour_conflicts_settled_total{kind="OVERSELL",tier="HARDCODED",outcome="A"} 1',
      'agrotour_conflicts_suggested_total{kind="STOCK_COUNT"} 1',
    ]);
  });
});

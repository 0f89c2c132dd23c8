import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CONFLICT_DETECTIONS, DEFAULT_SETTINGS, type SettingsChange, settingsOf, toStored } from './tenant-settings.js';

const threshold = fc.double({ min: 0, max: 1, noNaN: true });
const settings = fc.record({
  conflictDetection: fc.constantFrom(...CONFLICT_DETECTIONS),
  heuristicThreshold: threshold,
});
const change: fc.Arbitrary<SettingsChange> = fc.record({
  conflictDetection: fc.option(fc.constantFrom(...CONFLICT_DETECTIONS), { nil: undefined }),
  heuristicThreshold: fc.option(threshold, { nil: undefined }),
});

describe('the settings of a tenant', () => {
  it('are the defaults where nothing was chosen', () => {
    expect(settingsOf({})).toEqual({ conflictDetection: 'CONTENTION', heuristicThreshold: 0.8 });
    expect(settingsOf({ conflict_detection: 'CONCURRENCY' })).toEqual({
      conflictDetection: 'CONCURRENCY',
      heuristicThreshold: 0.8,
    });
  });

  it('come back as they were stored, whatever else stands beside them', () => {
    fc.assert(
      fc.property(settings, fc.dictionary(fc.string(), fc.jsonValue()), (chosen, others) => {
        expect(settingsOf({ ...others, ...toStored(chosen) })).toEqual(chosen);
      }),
    );
  });

  it('change in what a change names, and in nothing else', () => {
    fc.assert(
      fc.property(settings, change, (before, changed) => {
        const { conflictDetection = before.conflictDetection, heuristicThreshold = before.heuristicThreshold } =
          changed;
        expect(settingsOf({ ...toStored(before), ...toStored(changed) })).toEqual({
          conflictDetection,
          heuristicThreshold,
        });
      }),
    );
  });

  it('take both ends of the range of a threshold', () => {
    for (const end of [0, 1]) expect(settingsOf({ heuristic_threshold: end }).heuristicThreshold).toBe(end);
  });

  it.each<[what: string, stored: Record<string, unknown>]>([
    ['of another type', { conflict_detection: 1, heuristic_threshold: '0.5' }],
    ['null', { conflict_detection: null, heuristic_threshold: null }],
    ['a list', { conflict_detection: ['CONCURRENCY'], heuristic_threshold: [0.5] }],
    ['in other letters', { conflict_detection: 'concurrency', heuristicThreshold: 0.5 }],
    ['out of range', { heuristic_threshold: 1.01 }],
    ['below the range', { heuristic_threshold: -0.01 }],
    ['no number', { heuristic_threshold: NaN }],
  ])('are the defaults where what is stored is %s', (_, stored) => {
    expect(settingsOf(stored)).toEqual(DEFAULT_SETTINGS);
  });

  it('can be used whatever the row says', () => {
    const anything = fc.record({ conflict_detection: fc.anything(), heuristic_threshold: fc.anything() });
    fc.assert(
      fc.property(anything, (stored) => {
        const { conflictDetection, heuristicThreshold } = settingsOf(stored);
        expect(CONFLICT_DETECTIONS).toContain(conflictDetection);
        expect(heuristicThreshold).toBeGreaterThanOrEqual(0);
        expect(heuristicThreshold).toBeLessThanOrEqual(1);
      }),
    );
  });
});

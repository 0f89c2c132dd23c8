import { expect, it } from '@jest/globals';
import { type Place, SpoolSpace } from './spool-space.js';

const refusal = expect.objectContaining({ code: 'TOO_MANY_STREAMS' });

it('gives an owner half of the bytes, and all owners together no more than there are', () => {
  const space = new SpoolSpace(100);
  const [ana, ben] = [space.enter('ana'), space.enter('ben')];
  ana.take(30);
  space.enter('ana').take(20);
  expect(() => {
    ana.take(1);
  }).toThrow(refusal);
  ben.take(50);
  expect(() => {
    space.enter('eve').take(1);
  }).toThrow(refusal);
  ana.leave();
  ana.leave();
  space.enter('eve').take(30);
  expect(() => {
    space.enter('zoe').take(1);
  }).toThrow(refusal);
});

it('has sixteen places for an owner', () => {
  const space = new SpoolSpace(100);
  const places: Place[] = Array.from({ length: 16 }, () => space.enter('ana'));
  expect(() => space.enter('ana')).toThrow(refusal);
  space.enter('ben');
  places[0]?.leave();
  space.enter('ana');
});

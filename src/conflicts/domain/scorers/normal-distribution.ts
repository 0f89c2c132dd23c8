/**
 * The probability that a standard normal variable is at most `z`: the Taylor series about zero, which is exact to the last
 * digits and has no constants to mistype (G. Marsaglia, "Evaluating the Normal Distribution", Journal of Statistical
 * Software 11(4), 2004).
 */
export function normalProbability(z: number): number {
  if (Math.abs(z) > 8) return z > 0 ? 1 : 0; // beyond what a double tells from 1
  let term = z;
  let sum = 0;
  for (let divisor = 3; Math.abs(term) > Number.EPSILON / 16; divisor += 2) {
    sum += term;
    term *= (z * z) / divisor;
  }
  return 0.5 + (sum * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
}

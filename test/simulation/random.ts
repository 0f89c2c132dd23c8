/** A stream of numbers that one seed fixes (splitmix32, after Steele, Lea and Flood, OOPSLA 2014). */
export class Random {
  constructor(private state: number) {}

  /** From 0 to 1. */
  next(): number {
    this.state = (this.state + 0x9e3779b9) | 0;
    let mixed = this.state ^ (this.state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 to `below` − 1. */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.below(choices.length)];
    if (choice === undefined) throw new Error('There is nothing to pick from');
    return choice;
  }

  /** One of the names, each as often as its weight. */
  weighed<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const choices = Object.entries(weights) as [Name, number][];
    let rest = this.below(choices.reduce((sum, [, weight]) => sum + weight, 0));
    for (const [name, weight] of choices) {
      if (rest < weight) return name;
      rest -= weight;
    }
    throw new Error('There is nothing to pick from');
  }

  uuid(): string {
    const hex = Array.from({ length: 32 }, () => this.below(16).toString(16));
    hex[12] = '4';
    hex[16] = (8 + this.below(4)).toString(16);
    const text = hex.join('');
    return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join('-');
  }
}

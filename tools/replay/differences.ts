const SHOWN_MAX = 20;

/** Whatever is not as it must be: all are counted, the first are kept to be shown. */
export class Differences {
  private readonly first: string[] = [];
  private found = 0;

  get count(): number {
    return this.found;
  }

  get shown(): readonly string[] {
    return this.first;
  }

  add(text: string): void {
    this.found += 1;
    if (this.first.length < SHOWN_MAX) this.first.push(text);
  }
}

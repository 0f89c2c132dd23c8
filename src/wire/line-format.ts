/** What the lines of a file are, and how what they tell is written. */
export interface LineFormat<Part> {
  /** Media type. */
  readonly type: string;
  /** Name of the file that a browser saves them in, in ASCII; without one it may show them. */
  readonly fileName?: string;
  /** The next lines, each with its end. */
  readonly text: (part: Part) => string;
}

/** Something to say in a line, and what to do about it in the next. */
export class Mistake extends Error {
  readonly hint: string

  constructor(message: string, hint: string) {
    super(message)
    this.hint = hint
  }
}

/** For contenders that tell nobody of the end of a run: their last node does, within the process, at no cost. */
export class Ends {
  readonly #waiting = new Map<string, (output: number) => void>()

  of(run: string): Promise<number> {
    return new Promise((resolve) => {
      this.#waiting.set(run, resolve)
    })
  }

  tell(run: string, output: number): void {
    this.#waiting.get(run)?.(output)
    this.#waiting.delete(run)
  }
}

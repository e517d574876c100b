/** What happened, step by step: always as a digest, which tells two executions apart, and as lines for who asks. */
import type { Happening } from './timeline.ts'

export class Trace {
  readonly lines: string[] = []
  readonly #keeps: boolean
  #digest = 2_166_136_261
  #firstMs: number | undefined

  constructor(keeps: boolean) {
    this.#keeps = keeps
  }

  get digest(): string {
    return (this.#digest >>> 0).toString(16).padStart(8, '0')
  }

  note(nowMs: number, { actor, what, detail }: Happening): void {
    this.#firstMs ??= nowMs
    this.#mix(what)
    if (actor !== undefined) this.#mix(actor.name)
    this.#digest = Math.imul(this.#digest ^ Math.round(nowMs - this.#firstMs), 16_777_619)
    if (!this.#keeps) return
    const who = detail === undefined ? (actor?.name ?? '') : detail()
    this.add(nowMs, `${what}  ${who}`)
  }

  /** Something that is no step of its own: a fault, an event of a journal. */
  tell(nowMs: number, text: string): void {
    this.#mix(text)
    if (this.#keeps) this.add(nowMs, text)
  }

  add(nowMs: number, text: string): void {
    this.#firstMs ??= nowMs
    const ms = (nowMs - this.#firstMs).toFixed(0).padStart(6)
    this.lines.push(`${ms}  ${text}`)
  }

  #mix(text: string): void {
    let digest = this.#digest
    for (let index = 0; index < text.length; index++) digest = Math.imul(digest ^ text.charCodeAt(index), 16_777_619)
    this.#digest = digest
  }
}

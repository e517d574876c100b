/** A bar for a person who watches, and now and then a line for a log. */
import type { Progress } from './chaos.ts'

const WIDTH = 30
const LINE_EVERY_MS = 5_000
const BAR_EVERY_MS = 100

/** @returns what to call with each progress */
export function showProgress(
  stream: { readonly isTTY?: boolean; write(text: string): unknown },
  kills: number,
  now: () => number = performance.now.bind(performance),
): (progress: Progress) => void {
  let saidAtMs = Number.NEGATIVE_INFINITY
  let phase = ''
  return (progress) => {
    const isNew = progress.phase !== phase
    if (!isNew && now() - saidAtMs < (stream.isTTY ? BAR_EVERY_MS : LINE_EVERY_MS)) return
    saidAtMs = now()
    phase = progress.phase
    if (!stream.isTTY) return void stream.write(`${textOf(progress, kills)}\n`)
    const done = Math.min(WIDTH, Math.round((WIDTH * progress.kills) / kills))
    stream.write(`\r\x1b[2K${'█'.repeat(done)}${'░'.repeat(WIDTH - done)} ${textOf(progress, kills)}`)
    if (phase === 'verdict') stream.write('\n')
  }
}

function textOf({ phase, kills: killed, zombies, runs, live }: Progress, kills: number): string {
  return `${phase}: ${killed}/${kills} kills, ${zombies} zombies, ${runs} runs, ${live} under way`
}

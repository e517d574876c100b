import { expect, it } from 'vitest'
import type { Progress } from './chaos.ts'
import { showProgress } from './progress.ts'

const storm: Progress = { phase: 'storm', kills: 5, zombies: 2, runs: 30, live: 9 }

function shown(isTTY: boolean, steps: readonly { readonly atMs: number; readonly progress: Progress }[]): string[] {
  const written: string[] = []
  let nowMs = 0
  const write = (text: string | Uint8Array) => written.push(String(text)) > 0
  const show = showProgress({ isTTY, write }, 10, () => nowMs)
  for (const { atMs, progress } of steps) {
    nowMs = atMs
    show(progress)
  }
  return written
}

it('is a line now and then where nobody watches, and one for each phase', () => {
  const steps = [
    { atMs: 0, progress: storm },
    { atMs: 4_000, progress: { ...storm, kills: 6 } },
    { atMs: 6_000, progress: { ...storm, kills: 7 } },
    { atMs: 6_100, progress: { ...storm, kills: 10, phase: 'calm' as const } },
  ]

  expect(shown(false, steps)).toEqual([
    'storm: 5/10 kills, 2 zombies, 30 runs, 9 under way\n',
    'storm: 7/10 kills, 2 zombies, 30 runs, 9 under way\n',
    'calm: 10/10 kills, 2 zombies, 30 runs, 9 under way\n',
  ])
})

it('is one line that changes on a terminal, and ends with the verdict', () => {
  const text = shown(true, [
    { atMs: 0, progress: storm },
    { atMs: 50, progress: { ...storm, kills: 6 } },
    { atMs: 60, progress: { ...storm, kills: 10, phase: 'verdict' } },
  ]).join('')

  expect(text.match(/\n/g)).toHaveLength(1)
  expect(text).toContain('█'.repeat(15) + '░'.repeat(15))
  expect(text).not.toContain('6/10')
})

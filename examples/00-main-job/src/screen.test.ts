import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { createScreen, type ScreenOptions, type WorkerState } from './screen.ts'
import { Story } from './story.ts'

const worker: WorkerState = { name: 'worker-1', pid: 7, state: 'up' }

/** What a stream gets to see of a worker that is up and of a line of the story. */
function shownOn(terminal: Partial<Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'rows'>>): string {
  const pipe = new PassThrough({ encoding: 'utf8' })
  const stream = Object.assign(pipe, terminal) as unknown as ScreenOptions['stream']
  const screen = createScreen({ stream, story: new Story(), workers: [worker] })
  screen.up(worker)
  screen.say('a line')
  screen.close()
  return pipe.read()
}

const lines = '         worker-1 is up (pid 7)\na line\n'

it('draws a picture on a terminal', () => {
  expect(shownOn({ isTTY: true, columns: 100, rows: 30 })).toContain('analyse')
})

it.each([
  { what: 'is none', terminal: {} },
  { what: 'says that it is 0 by 0', terminal: { isTTY: true, columns: 0, rows: 0 } },
  { what: 'does not say how large it is', terminal: { isTTY: true } },
])('writes plain lines to a terminal that $what', ({ terminal }) => {
  expect(shownOn(terminal)).toBe(lines)
})

import { expect, it } from 'vitest'
import { createLogger, type LogFormat } from './log.ts'

function linesOf(format: LogFormat, level: 'debug' | 'info' | 'warn' = 'info') {
  const lines: string[] = []
  const now = () => new Date('2026-01-02T03:04:05.678Z')
  return { lines, logger: createLogger({ format, level, now, write: (line) => lines.push(line) }) }
}

it('writes one JSON object per line, errors with their code', () => {
  const { lines, logger } = linesOf('json')

  logger.log('warn', 'two\nlines', { runId: 'r', error: Object.assign(new Error('no'), { code: 'E' }), big: 7n })

  expect(lines).toHaveLength(1)
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    time: '2026-01-02T03:04:05.678Z',
    level: 'warn',
    message: 'two\nlines',
    runId: 'r',
    error: { name: 'Error', message: 'no', code: 'E' },
    big: '7n',
  })
})

it('writes one plain line for people', () => {
  const { lines, logger } = linesOf('pretty')

  logger.log('info', 'two\nlines', { runId: 'r', why: 'a b', nothing: undefined })

  expect(lines).toEqual(['03:04:05.678 info  two lines runId=r why="a b"\n'])
})

it('leaves out what is below its level', () => {
  const { lines, logger } = linesOf('json', 'warn')

  logger.log('info', 'quiet', {})

  expect(lines).toEqual([])
})

it('survives fields that contain themselves, and shows what only comes twice', () => {
  const { lines, logger } = linesOf('json')
  const shared = { of: 'two' }
  const round: Record<string, unknown> = { left: shared, right: shared }
  round.self = round

  logger.log('info', 'round', { round })

  expect(JSON.parse(lines[0] ?? '').round).toEqual({ left: shared, right: shared, self: '(a cycle)' })
})

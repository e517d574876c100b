import { describe, expect, it } from 'vitest'
import { readCommand } from './arguments.ts'

function refusalOf(...args: string[]): unknown {
  try {
    return readCommand(args)
  } catch (error) {
    return error
  }
}

describe('what can be carried out', () => {
  it('is a start with its input read from JSON', () => {
    expect(readCommand(['start', 'hello', '--input', '{"a":[1]}', '--no-follow'])).toMatchObject({
      name: 'start',
      flow: 'hello',
      input: { a: [1] },
      follow: false,
      json: false,
    })
  })

  it('is a look at the schedules', () => {
    expect(readCommand(['schedules', '--json'])).toEqual({ name: 'schedules', json: true })
  })

  it('is a signal with its payload', () => {
    const command = readCommand(['signal', 'r-1', 'paid', '--payload', '"yes"'])

    expect(command).toEqual({ name: 'signal', runId: 'r-1', signal: 'paid', payload: 'yes' })
  })

  it('is help, asked for in either way', () => {
    expect(readCommand(['--help'])).toEqual({ name: 'help' })
    expect(readCommand(['help'])).toEqual({ name: 'help' })
  })
})

it.each([
  { typed: ['status', '../x'], code: 'INVALID_ID', field: 'runId' },
  { typed: ['start', 'no good'], code: 'INVALID_ID', field: '<flow>' },
  { typed: ['start', 'hello', '--run-id', '../x'], code: 'INVALID_ID', field: '--run-id' },
  { typed: ['start', 'hello', '--flow-version', ''], code: 'INVALID_ID', field: '--flow-version' },
  { typed: ['signal', 'r', 'no good'], code: 'INVALID_ID', field: '<name>' },
  { typed: ['start', 'hello', '--input', '{"__proto__":1}'], field: expect.stringMatching(/^--input/) },
  { typed: ['signal', 'r', 's', '--payload', '{"__proto__":1}'], field: expect.stringMatching(/^--payload/) },
])('refuses what no store would take: $typed', ({ typed, ...details }) => {
  expect(refusalOf(...typed)).toMatchObject(details)
})

describe('what is refused, with a field and a hint', () => {
  it.each([
    { typed: [], field: 'command', hint: /start/ },
    { typed: ['strat', 'hello'], field: 'command', hint: 'Did you mean start?' },
    { typed: ['start'], field: 'arguments', hint: /start <flow>/ },
    { typed: ['pause', 'r-1'], field: '--reason', hint: /--reason/ },
    { typed: ['start', 'hello', '--inptu', '1'], field: '--inptu', hint: 'Did you mean --input?' },
    { typed: ['start', 'hello', '--input', 'Ada'], field: '--input', hint: /quotes/ },
    { typed: ['start', 'hello', '--input', '1', '--input-file', 'x'], field: '--input-file', hint: /--input/ },
    { typed: ['start', 'hello', '--input-file', '/nowhere/x'], field: '--input-file', hint: /file/ },
    { typed: ['watch', 'r', '--payload', '1'], field: '--payload', hint: /--json/ },
  ])('$typed', ({ typed, field, hint }) => {
    const matching = typeof hint === 'string' ? hint : expect.stringMatching(hint)

    expect(refusalOf(...typed)).toMatchObject({ code: 'INVALID_OPTION', field, hint: matching })
  })
})

import { readEnvironment } from '@baton/compose'
import { expect, it } from 'vitest'
import { help, readConfig } from './config.ts'

const around = { isTerminal: false, hostName: 'box 7', pid: 42 }

function mistakesOf(env: Record<string, string>, args: readonly string[] = []) {
  const read = readConfig(args, env, around)
  return read.type === 'mistakes' ? read.mistakes : []
}

it('reports the mistakes of the environment and its own at once', () => {
  const mistakes = mistakesOf({ BATON_LEASE_MS: 'soon', BATON_LEASEMS: '2000' })

  expect(mistakes.map(({ field }) => field)).toEqual(['BATON_LEASE_MS', 'BATON_LEASEMS', 'BATON_FLOWS'])
})

it('takes defaults for what is absent or empty, and a name that leads to the process', () => {
  const read = readConfig(['--flows', 'f.js'], { BATON_LEASE_MS: '', BATON_SWEEP_MS: '250' }, around)

  expect(read).toMatchObject({
    type: 'config',
    config: {
      flows: { file: 'f.js', field: '--flows' },
      workerId: 'box-7:42',
      leaseMs: 30_000,
      sweepMs: 250,
      health: undefined,
      logFormat: 'json',
    },
  })
})

it('refuses an argument that it does not know', () => {
  const [first] = mistakesOf({ BATON_FLOWS: 'f.js' }, ['--flow', 'f.js'])

  expect(first).toMatchObject({ code: 'INVALID_OPTION', field: 'arguments', hint: 'Did you mean --flows?' })
})

it('has a line of help for every variable that there is', () => {
  const [unknown] = readEnvironment({ BATON_COLOUR_OF_THE_SKY: 'blue' }).mistakes
  const known = unknown?.hint.match(/BATON_[A-Z_]+/g) ?? []

  expect(known).toContain('BATON_REDIS_URL')
  expect([...help.matchAll(/^ {2}(BATON_[A-Z_]+)/gm)].map(([, name]) => name).sort()).toEqual(known.sort())
})

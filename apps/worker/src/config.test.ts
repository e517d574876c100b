import { expect, it } from 'vitest'
import { readConfig } from './config.ts'
import { describeMistake } from './environment.ts'

const around = { isTerminal: false, hostName: 'box 7', pid: 42 }

function mistakesOf(env: Record<string, string>, args: readonly string[] = []) {
  const read = readConfig(args, env, around)
  return read.type === 'mistakes' ? read.mistakes : []
}

it('reports every mistake of a nonsense environment at once, each with code, field and hint', () => {
  const mistakes = mistakesOf({
    BATON_STORE: 'a folder',
    BATON_LEASE_MS: 'soon',
    BATON_CONCURRENCY: '-1',
    BATON_HEALTH_PORT: '70000',
    BATON_LOG: 'xml',
    BATON_WORKER_ID: 'two words',
    BATON_LEASEMS: '2000',
  })

  const fields = ['BATON_STORE', 'BATON_LEASE_MS', 'BATON_CONCURRENCY', 'BATON_HEALTH_PORT', 'BATON_LOG']
  expect(mistakes.map(({ field }) => field)).toEqual([...fields, 'BATON_WORKER_ID', 'BATON_LEASEMS', 'BATON_FLOWS'])
  for (const each of mistakes) {
    expect(each.code).toBe('INVALID_OPTION')
    expect(each.hint).not.toBe('')
    expect(describeMistake(each)).not.toContain('\n')
  }
})

it('names the nearest variable for one that does not exist', () => {
  const [first] = mistakesOf({ BATON_LEASEMS: '2000', BATON_FLOWS: 'f.js' })

  expect(first?.hint).toBe('Did you mean BATON_LEASE_MS?')
})

it('leaves what other programs and the tests of Baton set alone', () => {
  const env = {
    PATH: '/bin',
    BATONS: '1',
    BATON_TEST_REDIS_URL: 'x',
    BATON_REQUIRE_SERVICES: 'redis',
    BATON_FLOWS: 'f.js',
  }

  expect(mistakesOf(env)).toEqual([])
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

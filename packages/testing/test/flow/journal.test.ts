import { createFlow, FatalError, type NodeArguments } from '@baton/core'
import { describe, expect, it } from 'vitest'
import { fails, type RunJournal, testFlow } from '../../src/flow/index.ts'
import { DAY, subscription } from './subscription.ts'

const flow = createFlow<number>('orders')
  .node('check', async ({ input, step }: NodeArguments<number>) => {
    await step('look up', () => 'found')
    return { output: input, action: input > 0 ? 'good' : 'bad' }
  })
  .node('list', ({ input }: NodeArguments<number>) => ({ output: Array.from({ length: input }, (_, index) => index) }))
  .map('price', ({ input }: NodeArguments<number>) => ({ output: input * 2 }), { retry: { attempts: 2 } })
  .node('refuse', () => {
    throw new FatalError('nothing ordered')
  })
  .edge('check', 'list', { action: 'good' })
  .edge('check', 'refuse', { action: 'bad' })
  .edge('list', 'price')

async function journalOf(input: number, nodes = {}) {
  const run = await testFlow(flow, { nodes }).start(input)
  await run.outcome()
  return run.journal
}

/** What an assertion says when it does not hold. */
function said(assert: () => unknown): string {
  try {
    assert()
  } catch (error) {
    expect(error).toMatchObject({ name: 'AssertionError', code: 'ERR_ASSERTION' })
    return (error as Error).message
  }
  throw new Error('it holds')
}

describe('the journal', () => {
  it('is read in a row of assertions', async () => {
    const journal = await journalOf(3, { price: fails(1) })

    journal
      .ran('check', { times: 1 })
      .step('check', 'look up')
      .order(['check', 'list', 'price'])
      .ran('price', { times: 6 })
      .ran('price[1]', { times: 2 })
      .retried('price', { times: 3 })
      .skipped('refuse')
      .didNotRun('refuse')
      .completed([0, 2, 4])
    expect(journal.output).toEqual([0, 2, 4])
    expect(journal.outputOf('list')).toEqual([0, 1, 2])
  })

  it('refuses names that its flow does not have, where types do not know them', async () => {
    const journal: RunJournal = await journalOf(3)
    const unknown = expect.objectContaining({ code: 'INVALID_OPTION', field: 'node', hint: 'Did you mean `refuse`?' })

    expect(() => journal.didNotRun('refused')).toThrow(unknown)
    expect(() => journal.ran('refused[1]', { times: 0 })).toThrow(unknown)
    expect(() => journal.retried('refused', { times: 0 })).toThrow(unknown)
    expect(() => journal.outputOf('refused#2')).toThrow(unknown)
    expect(() => journal.order(['refused'])).toThrow(unknown)
    journal.didNotRun('refuse').ran('price[1]')
  })

  it('knows of failures', async () => {
    const journal = await journalOf(0)

    journal
      .failed('refuse')
      .failed('refuse', /nothing ordered/)
      .failedWith(/nothing/)
      .skipped('price')
  })

  it('counts no code that never ran: a join that a failure poisoned, a map that gathers', async () => {
    const poisoned = createFlow('poisoned')
      .node('a', () => {
        throw new Error('no')
      })
      .node('b', () => ({}))
      .node('join', () => ({}))
      .edge('a', 'join')
      .edge('b', 'join')
    const run = await testFlow(poisoned).start()
    await run.outcome()

    run.journal.failed('join', 'PREDECESSOR_FAILED').didNotRun('join')
    ;(await journalOf(2)).ran('price', { times: 2 })
  })

  it('tells times from the start of the run', async () => {
    const test = testFlow(subscription)
    const run = await test.start({ email: 'a@b', euros: 1 })
    await run.result()

    expect(run.journal.slept('open', { ms: 30 * DAY }).toText()).toMatchInlineSnapshot(`
      "  1  +0 ms         run-started subscription: { email: 'a@b', euros: 1 }
        2  +0 ms         node-claimed open
        3  +0 ms         step-recorded open: ticket → "T-1"
        4  +0 ms         node-slept open: for 30 d
        5  +30 d         node-claimed open
        6  +30 d         node-succeeded open: { email: 'a@b', euros: 1, ticket: 'T-1' }, action small
        7  +30 d         node-skipped ask: not-taken
        8  +30 d         node-claimed charge
        9  +30 d         node-succeeded charge: 1
       10  +30 d         node-claimed receipt
       11  +30 d         child-started receipt: receipts as run-1:receipt:0
       12  +30 d         node-awaited receipt: child run-1:receipt:0
       13  +31 d         child-ended: run-1:receipt:0 completed
       14  +31 d         node-claimed receipt
       15  +31 d         node-succeeded receipt: "receipt over 1 €"
       16  +31 d         run-completed"
    `)
  })

  it.each<[string, (journal: RunJournal) => unknown, string]>([
    ['ran', (journal) => journal.ran('check', { times: 2 }), 'expected: check ran 2 times\n  journal:  it ran once'],
    ['ran at all', (journal) => journal.ran('refuse'), 'expected: refuse ran\n  journal:  it ran never'],
    ['did not run', (journal) => journal.didNotRun('list'), 'expected: list ran never\n  journal:  it ran once'],
    ['order', (journal) => journal.order(['price', 'check']), 'journal:  check began before price had ended'],
    ['order, not there', (journal) => journal.order(['check', 'refuse']), 'journal:  refuse has not begun'],
    ['skipped', (journal) => journal.skipped('list'), 'expected: list was skipped\n  journal:  node-succeeded'],
    [
      'failed',
      (journal) => journal.failed('list', 'NODE_TIMEOUT'),
      'list failed with NODE_TIMEOUT\n  journal:  it did not fail',
    ],
    ['retried', (journal) => journal.retried('list'), 'expected: list was retried\n  journal:  it was never'],
    ['slept', (journal) => journal.slept('list', { ms: 90_000 }), 'list slept for 1 min 30 s\n  journal:  it did not'],
    ['step', (journal) => journal.step('check', 'weigh'), 'check recorded step weigh\n  journal:  its steps: look up'],
    ['completed', (journal) => journal.completed([7]), 'it completed with [ 7 ]\n  journal:  [ 0, 2 ]'],
    [
      'failed run',
      (journal) => journal.failedWith('RUN_TIMEOUT'),
      'failed with RUN_TIMEOUT\n  journal:  run-completed',
    ],
    ['cancelled', (journal) => journal.cancelled(), 'expected: it cancelled\n  journal:  run-completed'],
  ])('says what it has instead: %s', async (_, assert, message) => {
    const journal = await journalOf(2)

    expect(said(() => assert(journal as RunJournal))).toContain(message)
  })

  it('shows the events around what an assertion is about', async () => {
    const journal = await journalOf(2)

    expect(said(() => journal.ran('list', { times: 3 }))).toMatchInlineSnapshot(`
      "run run-1
        expected: list ran 3 times
        journal:  it ran once

          4  +0 ms         node-succeeded check: 2, action good
          5  +0 ms         node-skipped refuse: not-taken
      ›   6  +0 ms         node-claimed list
      ›   7  +0 ms         node-succeeded list: [ 0, 1 ]
          8  +0 ms         node-claimed price
          9  +0 ms         map-expanded price: 2 items"
    `)
  })

  it('gives test runners both values to compare', async () => {
    const journal = await journalOf(2)

    expect(() => journal.completed([0, 3])).toThrow(expect.objectContaining({ expected: [0, 3], actual: [0, 2] }))
  })

  it('refuses options that it does not know', async () => {
    const journal = await journalOf(2)

    expect(() => journal.ran('list', { time: 1 } as object)).toThrow(/options.time: no such option/)
  })
})
